/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* probes_private.h - what the files that share the probes' maps know of them. */
#ifndef PROBES_PRIVATE_H
#define PROBES_PRIVATE_H

#include <bpf/libbpf.h>

#include "pins.h"
#include "probes.h"

#define MAPS_MAX     20
#define PROGRAMS_MAX 24
#define UPLINKS_MAX  32

/* Mirrors struct flow_key of bpf/socks.h. */
struct flow_key {
	uint64_t cookie;
	struct wire_addr dst;
	uint16_t port;
	uint8_t protocol;
	uint8_t witness;
	uint32_t pad;
};

struct shared_map {
	char name[16];
	int fd;
};

struct uplink {
	unsigned int ifindex;
	bool attached;
	char name[16];
};

struct probes {
	struct probes_options options;
	int cgroup_fd;
	uint64_t scope_id;
	uint32_t scope_level;
	unsigned int cpus;
	struct pins pins;
	bool adopted;            /* the maps were there before */
	bool replaces;           /* and what was attached to them is of another build */
	bool interrupted;        /* what counts was gone: it did not, since nobody knows when */
	uint64_t ends_missed_ns; /* ends of TCP flows were not told, until this boot time; or 0 */
	uint64_t tended_ns;      /* boot time at which all stood last; 0: when it began */
	bool stale;              /* maps only, of another layout */
	bool unreadable;         /* and not even those */
	bool stopped;
	uint64_t build;
	uint32_t generation; /* that programs loaded from now on belong to */
	struct shared_map maps[MAPS_MAX];
	size_t map_count;
	struct bpf_object *together; /* what was loaded at once */
	bool tried_together;
	struct bpf_object *objects[PROGRAMS_MAX]; /* each what was loaded alone */
	struct bpf_link *links[PROGRAMS_MAX];
	struct coverage coverage[PROGRAMS_MAX + 2];
	size_t coverage_count;
	bool attached[PROGRAMS_MAX];
	bool may_not_read; /* programs of old kernels, the kernel's memory */
	bool approximate;  /* some program does without fetch-and-add */
	struct uplink uplinks[UPLINKS_MAX];
	size_t uplink_count;
	int uplink_program_fd;
	struct wire_settings *settings; /* mapped */
	struct wire_counters *counters; /* mapped: cpus * WIRE_KIND_MAX */
	struct wire_sum *totals;        /* mapped: cpus * WIRE_TOTALS */
	size_t flow_count;
};

/* What libbpf says is for who debugs. */
void libbpf_quiet(void);

int probes_map_fd(const struct probes *probes, const char *name);

/* fd of the link of the iterator that sweeps the table of flows; -1: refused, nothing is swept. */
int probes_sweeper(const struct probes *probes);

/* objects.c: maps, and programs: all at once, or one at a time. */
void object_size_maps(const struct probes *probes, struct bpf_object *object);
int objects_create_maps(struct probes *probes);
int objects_adopt_maps(struct probes *probes, const char *set);
int object_load(struct probes *probes, size_t program);
struct bpf_program *object_program(const struct probes *probes, size_t program);
/* What is attached needs them no more. */
void objects_close(struct probes *probes);

/* layout.c: which maps fit together, and which programs these are. */
int layout_name(const struct probes *probes, char out[LAYOUT_TEXT]);
uint64_t layout_build(void);

/* attach.c */
int programs_attach(struct probes *probes, struct error *why);
void programs_attach_rest(struct probes *probes);
void programs_detach(struct probes *probes);
/* The link is dead: load it anew. What was loaded stays for objects_close(). */
int program_attach_again(struct probes *probes, size_t i);
void coverage_put(struct probes *probes, const struct coverage *row);
/* The name under which a program's link is pinned. */
#define LINK_NAME 32
const char *link_name(char out[LINK_NAME], const struct probes *probes, size_t i);
/* Its cgroup was removed, or somebody detached it: then a link is only a name. */
bool link_is_dead(const struct bpf_link *link);

/* probes.c: whether what passes between two agents is seen. */
void coverage_pins(struct probes *probes, enum coverage_state state, const char *text);
#define PINS_UNSEEN "what passes between the end of one agent and the start of the next"

/* tend.c: look whether all still stands and is pinned; what changed is mended and told. */
void probes_tend(struct probes *probes, uint64_t now_ns, record_fn fn, void *arg);

/* settings.c: the maps that are read and written in place. */
int settings_map(struct probes *probes);
void settings_unmap(struct probes *probes);
void settings_tell(struct probes *probes);
int settings_tell_own(const struct probes *probes);

/* stale.c: sets of other layouts, which fall silent; those that were never whole are removed. */
void stale_silence(struct probes *probes);
/* Wait until no program runs that began before: what it counted is there to be read. */
void programs_wait(void);

/* detach.c: add up what nobody has read of a set, whatever build pinned it. */
void contents_count(const char *set, struct probes_removed *removed);

/* uplink.c */
int uplinks_find(struct probes *probes, struct error *why);
int uplinks_attach(struct probes *probes, int program_fd, struct error *why);
int uplinks_detach(struct probes *probes);
/* Remove our filters from devices that are not among the uplinks. Returns how many. */
int uplinks_tidy(struct probes *probes);
/* Look whether the filters still stand. True when something changed; said tells what. */
bool uplinks_tend(struct probes *probes, char *said, size_t room);

/* scope.c */
int scope_open(struct probes *probes, struct error *why);

#endif /* PROBES_PRIVATE_H */
