/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probes - the programs, loaded one by one.
 *
 * Each program is loaded from an object of its own with only itself switched on
 * and the shared maps handed in, because an object with one refused program loads
 * none. Rows of one subject and rank are alternatives: the first that loads wins.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probes_private.h"
#include "programs.h"

int
probes_map_fd(const struct probes *probes, const char *name)
{
	for (size_t i = 0; i < probes->map_count; i++)
		if (!strcmp(probes->maps[i].name, name))
			return probes->maps[i].fd;
	return -ENOENT;
}

static void
size_map(const struct probes *probes, struct bpf_map *map)
{
	const struct {
		const char *name;
		uint64_t entries;
	} sizes[] = {
		{"counters", (uint64_t)probes->cpus * WIRE_KIND_MAX},
		{"totals", (uint64_t)probes->cpus * WIRE_TOTALS},
		{"flows", probes->options.table_entries},
		{"ring_critical", probes->options.ring_critical_bytes},
		{"ring_bulk", probes->options.ring_bulk_bytes},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!strcmp(bpf_map__name(map), sizes[i].name))
			bpf_map__set_max_entries(map, (uint32_t)sizes[i].entries);
}

/* Hand the object the maps that exist; the rest it creates, and they are kept by keep_maps(). */
static int
share_maps(const struct probes *probes, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int fd = probes_map_fd(probes, bpf_map__name(map));
		int result;

		size_map(probes, map);
		if (fd < 0)
			continue;
		result = bpf_map__reuse_fd(map, fd);
		if (result < 0)
			return result;
	}
	return 0;
}

static void
keep_maps(struct probes *probes, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		struct shared_map *shared = &probes->maps[probes->map_count];

		if (bpf_map__is_internal(map) || probes->map_count == MAPS_MAX ||
		    probes_map_fd(probes, bpf_map__name(map)) >= 0)
			continue;
		snprintf(shared->name, sizeof(shared->name), "%s", bpf_map__name(map));
		shared->fd = dup(bpf_map__fd(map));
		probes->map_count++;
	}
}

/* An object with only the named program switched on; none when name is NULL. */
static int
load_object(struct probes *probes, const void *(*elf)(size_t *size), const char *name,
	    struct bpf_object **out)
{
	size_t size;
	const void *bytes = elf(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);
	struct bpf_program *program;
	int result;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object) bpf_program__set_autoload(
		program, name && !strcmp(bpf_program__name(program), name));
	result = share_maps(probes, object);
	if (!result)
		result = bpf_object__load(object);
	if (result < 0) {
		bpf_object__close(object);
		return result;
	}
	keep_maps(probes, object);
	*out = object;
	return 0;
}

/* The maps come first, from the object that declares nearly all. */
static int
create_maps(struct probes *probes)
{
	struct bpf_object *object;
	int result = load_object(probes, object_files[0], NULL, &object);

	if (!result)
		bpf_object__close(object);
	return result;
}

/* An iterator does its work while its file is read. */
static int
run_iterator(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd cleanup(fd_drop) = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	int result = fd < 0 ? -errno : 0;
	char bytes[64];

	while (!result && read(fd, bytes, sizeof(bytes)) > 0)
		;
	bpf_link__destroy(link);
	return result;
}

/* This iterator runs over a map, and does so whenever its file is read. */
static struct bpf_link *
attach_sweep(const struct probes *probes, const struct bpf_program *program)
{
	union bpf_iter_link_info over = {.map.map_fd = (__u32)probes_map_fd(probes, "flows")};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &over,
		    .link_info_len = sizeof(over));

	return bpf_program__attach_iter(program, &options);
}

int
probes_sweeper(const struct probes *probes)
{
	for (size_t i = 0; i < program_count; i++)
		if (programs[i].attach == BY_READING && probes->links[i])
			return bpf_link__fd(probes->links[i]);
	return -1;
}

static int
attach(struct probes *probes, size_t i, struct bpf_program *program, struct error *why)
{
	switch (programs[i].attach) {
	case BY_CGROUP:
		probes->links[i] = bpf_program__attach_cgroup(program, probes->cgroup_fd);
		return probes->links[i] ? 0 : -errno;
	case BY_LINK:
		probes->links[i] = bpf_program__attach(program);
		return probes->links[i] ? 0 : -errno;
	case BY_UPLINK:
		return uplinks_attach(probes, bpf_program__fd(program), why);
	case BY_RUNNING:
		return run_iterator(program);
	case BY_READING:
		probes->links[i] = attach_sweep(probes, program);
		return probes->links[i] ? 0 : -errno;
	}
	return -EINVAL;
}

static void
cover(struct probes *probes, size_t i, enum coverage_state state, const char *text)
{
	struct coverage *row = &probes->coverage[probes->coverage_count++];

	row->subject = programs[i].subject;
	row->hook = programs[i].hook;
	row->state = state;
	row->unseen = programs[i].unseen;
	snprintf(row->why, sizeof(row->why), "%s", text);
}

/* Not a program, yet a subject: whether a lost record's place is known exactly. */
static void
cover_sequence(struct probes *probes)
{
	struct coverage *row = &probes->coverage[probes->coverage_count++];

	row->subject = "sequence numbers";
	row->hook = "fetch-and-add";
	row->state = COVERAGE_REFUSED;
	row->unseen = "the exact place of lost records; their number is exact";
	snprintf(row->why, sizeof(row->why),
		 "sequence: approximate (the kernel is older than 5.12)");
}

static int
try_program(struct probes *probes, size_t i, struct error *why)
{
	const struct program *row = &programs[i];
	int result = load_object(probes, row->elf, row->name, &probes->objects[i]);

	if (result < 0 && result != -EPERM &&
	    load_object(probes, row->plain, row->name, &probes->objects[i]) == 0) {
		probes->approximate = true;
		result = 0;
	}
	if (!result)
		result = attach(
			probes, i,
			bpf_object__find_program_by_name(probes->objects[i], programs[i].name),
			why);
	probes->attached[i] = !result;
	return result;
}

static int
start_program(struct probes *probes, size_t i, struct error *why)
{
	const struct program *row = &programs[i];
	struct error detail = {0};
	int result;

	if (row->instead && probes->attached[i - 1])
		return 0;
	if (row->attach == BY_UPLINK && !probes->uplink_count) {
		cover(probes, i, COVERAGE_OFF, "no uplink to watch");
		return 0;
	}
	result = try_program(probes, i, &detail);
	if (!result) {
		cover(probes, i, COVERAGE_ATTACHED, "");
		return 0;
	}
	cover(probes, i, COVERAGE_REFUSED, detail.text[0] ? detail.text : strerror(-result));
	if (row->required)
		return error_set(why, result == -EPERM ? -EPERM : -ENOTSUP, "%s (%s): %s",
				 row->subject, row->name, strerror(-result));
	return 0;
}

/* The maps that are read and written in place. */
struct area {
	const char *name;
	size_t bytes;
	void **where;
};

#define AREAS 3

static void
areas_of(struct probes *probes, struct area areas[AREAS])
{
	const struct area all[AREAS] = {
		{"settings", sizeof(struct wire_settings), (void **)&probes->settings},
		{"counters", probes->cpus * WIRE_KIND_MAX * sizeof(struct wire_counters),
		 (void **)&probes->counters},
		{"totals", probes->cpus * WIRE_TOTALS * sizeof(struct wire_sum),
		 (void **)&probes->totals},
	};

	memcpy(areas, all, sizeof(all));
}

static int
map_memory(struct probes *probes)
{
	struct area areas[AREAS];

	areas_of(probes, areas);
	for (size_t i = 0; i < AREAS; i++) {
		void *memory = mmap(NULL, areas[i].bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				    probes_map_fd(probes, areas[i].name), 0);

		if (memory == MAP_FAILED)
			return -errno;
		*areas[i].where = memory;
	}
	return 0;
}

static void
unmap_memory(struct probes *probes)
{
	struct area areas[AREAS];

	areas_of(probes, areas);
	for (size_t i = 0; i < AREAS; i++)
		if (*areas[i].where)
			munmap(*areas[i].where, areas[i].bytes);
}

static void
tell_settings(struct probes *probes)
{
	const struct probes_options *options = &probes->options;

	probes->settings->scope_cgroup = probes->scope_id;
	probes->settings->scope_level = probes->scope_level;
	probes->settings->loopback = options->loopback;
	probes->settings->argv_bytes = options->argv_bytes;
	probes->settings->uplinks = probes->uplink_count > 0;
	probes->settings->share = (uint32_t)(options->table_entries / 8);
	probes->settings->crowded = (uint32_t)(options->table_entries / 2);
	probes->settings->critical_wake_bytes = (uint32_t)(options->ring_bulk_bytes / 4);
}

static int
tell_own_networks(const struct probes *probes)
{
	int fd = probes_map_fd(probes, "own_nets");
	uint8_t one = 1;

	for (size_t i = 0; i < probes->options.own_count; i++) {
		struct {
			uint32_t bits;
			struct ip ip;
		} key = {probes->options.own[i].bits, probes->options.own[i].ip};

		if (bpf_map_update_elem(fd, &key, &one, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int __attribute__((format(printf, 2, 0)))
quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];

	(void)level;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = 0;
	log_debug("libbpf", "%s", line);
	return 0;
}

static int
start(struct probes *probes, struct error *why)
{
	int result = scope_open(probes, why);

	if (result < 0)
		return result;
	result = uplinks_find(probes, why);
	if (result < 0)
		return result;
	if (program_count > PROGRAMS_MAX)
		return -E2BIG;
	result = create_maps(probes);
	if (result < 0)
		return error_set(why, result == -EPERM ? -EPERM : -ENOTSUP,
				 "cannot create BPF maps: %s", strerror(-result));
	result = map_memory(probes);
	if (!result)
		result = tell_own_networks(probes);
	if (result < 0)
		return error_set(why, result, "cannot set up BPF maps: %s", strerror(-result));
	tell_settings(probes);
	for (size_t i = 0; i < program_count; i++) {
		result = start_program(probes, i, why);
		if (result < 0)
			return result;
	}
	if (probes->approximate)
		cover_sequence(probes);
	return 0;
}

int
probes_open(struct probes **out, const struct probes_options *options, struct error *why)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	int result;

	if (!probes)
		return -ENOMEM;
	libbpf_set_print(quiet);
	probes->options = *options;
	probes->cgroup_fd = -1;
	probes->cpus = (unsigned int)libbpf_num_possible_cpus();
	result = start(probes, why);
	if (result < 0) {
		probes_close(probes);
		return result;
	}
	*out = probes;
	return 0;
}

void
probes_stop(struct probes *probes)
{
	for (size_t i = program_count; i-- > 0;) {
		if (programs[i].attach == BY_UPLINK && probes->attached[i])
			uplinks_detach(probes);
		bpf_link__destroy(probes->links[i]);
		probes->links[i] = NULL;
		probes->attached[i] = false;
	}
	probes->uplink_count = 0;
}

void
probes_close(struct probes *probes)
{
	if (!probes)
		return;
	probes_stop(probes);
	for (size_t i = 0; i < program_count; i++)
		bpf_object__close(probes->objects[i]);
	unmap_memory(probes);
	for (size_t i = 0; i < probes->map_count; i++)
		close(probes->maps[i].fd);
	if (probes->cgroup_fd >= 0)
		close(probes->cgroup_fd);
	free(probes);
}

int
probes_detach(const struct probes_options *options, struct error *why)
{
	struct probes probes = {.options = *options};
	int result = uplinks_find(&probes, why);

	return result < 0 ? result : uplinks_detach(&probes);
}

const struct coverage *
probes_coverage(const struct probes *probes, size_t *count)
{
	*count = probes->coverage_count;
	return probes->coverage;
}
