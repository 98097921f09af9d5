/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* settings - the maps that userspace reads and writes in place, and what the programs are told. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "probes_private.h"

struct area {
	const char *name;
	size_t bytes;
	void **where;
};

#define AREAS 3

/* Of another build they may be more, or fewer. */
static size_t
bytes_of(const struct probes *probes, const char *map)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(probes_map_fd(probes, map), &info, &size) < 0)
		return 0;
	return (size_t)info.max_entries * info.value_size;
}

static void
list_areas(struct probes *probes, struct area areas[AREAS])
{
	const struct area all[AREAS] = {
		{"settings", sizeof(struct wire_settings), (void **)&probes->settings},
		{"counters", bytes_of(probes, "counters"), (void **)&probes->counters},
		{"totals", bytes_of(probes, "totals"), (void **)&probes->totals},
	};

	memcpy(areas, all, sizeof(all));
}

int
settings_map(struct probes *probes)
{
	struct area areas[AREAS];

	list_areas(probes, areas);
	for (size_t i = 0; i < AREAS; i++) {
		void *memory = mmap(NULL, areas[i].bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				    probes_map_fd(probes, areas[i].name), 0);

		if (memory == MAP_FAILED)
			return -errno;
		*areas[i].where = memory;
	}
	return 0;
}

void
settings_unmap(struct probes *probes)
{
	struct area areas[AREAS];

	list_areas(probes, areas);
	for (size_t i = 0; i < AREAS; i++)
		if (*areas[i].where)
			munmap(*areas[i].where, areas[i].bytes);
}

/* All but what others tell: the ring its intervals, the attaching what is attached. */
void
settings_tell(struct probes *probes)
{
	const struct probes_options *options = &probes->options;

	probes->settings->scope_cgroup = probes->scope_id;
	probes->settings->scope_level = probes->scope_level;
	probes->settings->loopback = options->loopback;
	probes->settings->argv_bytes = options->argv_bytes;
	probes->settings->uplinks = probes->uplink_count > 0;
	probes->settings->share = (uint32_t)(options->table_entries / 8);
	probes->settings->crowded = (uint32_t)(options->table_entries / 2);
	/* 64 a second in a ring of 4 MiB, which holds 17,000. */
	probes->settings->told = (uint32_t)(options->ring_critical_bytes / 65536) + 4;
	probes->settings->pressed = (uint32_t)(options->ring_critical_bytes / 2);
	probes->settings->critical_wake_bytes = (uint32_t)(options->ring_bulk_bytes / 4);
}

struct own_key {
	uint32_t bits;
	struct ip ip;
};

static bool
is_wanted(const struct probes_options *options, const struct own_key *key)
{
	for (size_t i = 0; i < options->own_count; i++)
		if (options->own[i].bits == key->bits &&
		    !memcmp(&options->own[i].ip, &key->ip, sizeof(key->ip)))
			return true;
	return false;
}

/* A key that is gone sends the walk back to its beginning: what is unwanted goes one by one. */
static void
forget_unwanted(const struct probes *probes, int fd)
{
	struct own_key key, next;
	bool begun = false;

	while (bpf_map_get_next_key(fd, begun ? &key : NULL, &next) == 0) {
		begun = is_wanted(&probes->options, &next);
		if (!begun && bpf_map_delete_elem(fd, &next) < 0)
			return;
		key = next;
	}
}

int
settings_tell_own(const struct probes *probes)
{
	int fd = probes_map_fd(probes, "own_nets");
	uint8_t one = 1;

	for (size_t i = 0; i < probes->options.own_count; i++) {
		struct own_key key = {probes->options.own[i].bits, probes->options.own[i].ip};

		if (bpf_map_update_elem(fd, &key, &one, BPF_ANY) < 0)
			return -errno;
	}
	forget_unwanted(probes, fd);
	return 0;
}
