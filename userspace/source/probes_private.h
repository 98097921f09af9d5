/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* probes_private.h - what the files that share the probes' maps know of them. */
#ifndef PROBES_PRIVATE_H
#define PROBES_PRIVATE_H

#include <bpf/libbpf.h>

#include "probes.h"

#define MAPS_MAX     16
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
	struct shared_map maps[MAPS_MAX];
	size_t map_count;
	struct bpf_object *objects[PROGRAMS_MAX];
	struct bpf_link *links[PROGRAMS_MAX];
	struct coverage coverage[PROGRAMS_MAX + 1];
	size_t coverage_count;
	bool attached[PROGRAMS_MAX];
	bool approximate; /* some program does without fetch-and-add */
	struct uplink uplinks[UPLINKS_MAX];
	size_t uplink_count;
	int uplink_program_fd;
	struct wire_settings *settings; /* mapped */
	struct wire_counters *counters; /* mapped: cpus * WIRE_KIND_MAX */
	struct wire_sum *totals;        /* mapped: cpus * WIRE_TOTALS */
	size_t flow_count;
};

int probes_map_fd(const struct probes *probes, const char *name);

/* fd of the link of the iterator that sweeps the table of flows; -1: refused, nothing is swept. */
int probes_sweeper(const struct probes *probes);

/* uplink.c */
int uplinks_find(struct probes *probes, struct error *why);
int uplinks_attach(struct probes *probes, int program_fd, struct error *why);
int uplinks_detach(struct probes *probes);
/* Look whether the filters still stand. True when something changed; said tells what. */
bool uplinks_tend(struct probes *probes, char *said, size_t room);

/* scope.c */
int scope_open(struct probes *probes, struct error *why);

#endif /* PROBES_PRIVATE_H */
