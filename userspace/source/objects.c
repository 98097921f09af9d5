/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * objects - the maps, and programs loaded together or one by one.
 *
 * libbpf reads the kernel's BTF anew for each object that it loads, and that takes
 * longer than all else of a start. So all programs are first tried as one object.
 * One with a refused program loads none: then each is loaded from an object of its
 * own, with only itself switched on and the shared maps handed in, and coverage
 * knows which ones the kernel refused. A map that is new is pinned before any
 * program can fill it.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
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

void
object_size_maps(const struct probes *probes, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) size_map(probes, map);
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

		if (fd < 0)
			continue;
		result = bpf_map__reuse_fd(map, fd);
		if (result < 0)
			return result;
	}
	return 0;
}

static int
keep_map(struct probes *probes, const char *name, int fd)
{
	struct shared_map *shared = &probes->maps[probes->map_count];

	if (probes->map_count == MAPS_MAX || fd < 0)
		return -E2BIG;
	snprintf(shared->name, sizeof(shared->name), "%s", name);
	shared->fd = fd;
	probes->map_count++;
	return 0;
}

static int
keep_maps(struct probes *probes, struct bpf_object *object)
{
	struct bpf_map *map;
	char path[PIN_PATH];
	int result = 0;

	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);

		if (bpf_map__is_internal(map) || probes_map_fd(probes, name) >= 0)
			continue;
		if (!result)
			result = keep_map(probes, name, dup(bpf_map__fd(map)));
		if (!result && probes->pins.lock >= 0 &&
		    bpf_obj_pin(bpf_map__fd(map), pin_path(path, probes->pins.set, "map_", name)) <
			    0)
			result = -errno;
	}
	return result;
}

static void
write_constants(const struct probes *probes, struct bpf_map *map, const struct btf *btf,
		const struct btf_type *section)
{
	const struct {
		const char *name;
		uint32_t value;
	} constants[] = {{"generation", probes->generation}, {"may_read", !probes->may_not_read}};
	size_t size = 0;
	const void *bytes = bpf_map__initial_value(map, &size);
	char *copy cleanup(free_drop) = bytes ? malloc(size) : NULL;

	if (!copy)
		return;
	memcpy(copy, bytes, size);
	for (uint32_t i = 0; i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *var = &btf_var_secinfos(section)[i];
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		for (size_t c = 0; c < sizeof(constants) / sizeof(constants[0]); c++)
			if (!strcmp(btf__name_by_offset(btf, type->name_off), constants[c].name) &&
			    var->offset + sizeof(uint32_t) <= size)
				memcpy(copy + var->offset, &constants[c].value, sizeof(uint32_t));
	}
	bpf_map__set_initial_value(map, copy, size);
}

/* Tell the programs which generation they are, and what they may: constants of theirs. */
static void
set_constants(const struct probes *probes, struct bpf_object *object)
{
	const struct btf *btf = bpf_object__btf(object);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
	struct bpf_map *map;

	if (!section)
		return;
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map) && strstr(bpf_map__name(map), ".rodata"))
			write_constants(probes, map, btf, section);
	}
}

/* The size and settings of its maps; those that are there already are handed in. */
static int
prepare(const struct probes *probes, struct bpf_object *object)
{
	object_size_maps(probes, object);
	set_constants(probes, object);
	return share_maps(probes, object);
}

/* Loads what is switched on, and keeps the maps that are new. */
static int
load(struct probes *probes, struct bpf_object *object)
{
	int result = prepare(probes, object);

	if (!result)
		result = bpf_object__load(object);
	return result ? result : keep_maps(probes, object);
}

/* An object with only the named program switched on; none when name is NULL. */
static int
load_one(struct probes *probes, elf_fn elf, const char *name, struct bpf_object **out)
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
	result = load(probes, object);
	if (result < 0) {
		bpf_object__close(object);
		return result;
	}
	*out = object;
	return 0;
}

/* Filters only where there is an uplink, and no program that stands in for another. */
static bool
is_wanted(const struct probes *probes, const struct program *row)
{
	return !row->instead && (row->attach != BY_UPLINK || probes->uplink_count);
}

static void
load_together(struct probes *probes)
{
	size_t size;
	const void *bytes = object_together(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);
	struct bpf_program *program;

	probes->tried_together = true;
	for (size_t i = 0; i < program_count && object; i++)
		if ((program = bpf_object__find_program_by_name(object, programs[i].name)))
			bpf_program__set_autoload(program, is_wanted(probes, &programs[i]));
	if (object && load(probes, object) < 0) {
		bpf_object__close(object);
		object = NULL;
	}
	probes->together = object;
}

/* The maps come first: with all programs, or from the object that declares nearly all. */
int
objects_create_maps(struct probes *probes)
{
	struct bpf_object *object;
	int result;

	load_together(probes);
	if (probes->together)
		return 0;
	result = load_one(probes, object_files[0], NULL, &object);
	if (!result)
		bpf_object__close(object);
	return result;
}

static void
adopt_map(const char *path, const char *name, void *arg)
{
	struct probes *probes = arg;
	int fd = bpf_obj_get(path);

	if (fd >= 0 && keep_map(probes, name, fd) < 0)
		close(fd);
}

/* -ENOENT when one is missing without which nothing can be read. */
int
objects_adopt_maps(struct probes *probes, const char *set)
{
	static const char *const needed[] = {"settings", "counters",      "totals",
					     "flows",    "ring_critical", "ring_bulk"};

	pins_each(set, "map_", adopt_map, probes);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (probes_map_fd(probes, needed[i]) < 0)
			return -ENOENT;
	return 0;
}

struct bpf_program *
object_program(const struct probes *probes, size_t program)
{
	struct bpf_object *object =
		probes->objects[program] ? probes->objects[program] : probes->together;

	return object ? bpf_object__find_program_by_name(object, programs[program].name) : NULL;
}

static bool
is_loaded(const struct probes *probes, size_t program)
{
	const struct bpf_program *found = object_program(probes, program);

	return found && bpf_program__fd(found) >= 0;
}

/* Of an old kernel that is locked down, programs must ask less. */
static int
load_plain(struct probes *probes, size_t program)
{
	const struct program *row = &programs[program];
	int result = load_one(probes, row->plain, row->name, &probes->objects[program]);

	if (result < 0) {
		probes->may_not_read = true;
		result = load_one(probes, row->plain, row->name, &probes->objects[program]);
		probes->may_not_read = false;
	}
	return result;
}

int
object_load(struct probes *probes, size_t program)
{
	const struct program *row = &programs[program];
	int result;

	if (probes->replaces && !probes->tried_together)
		load_together(probes);
	if (is_loaded(probes, program))
		return 0;
	result = load_one(probes, row->elf, row->name, &probes->objects[program]);
	if (result < 0 && result != -EPERM && load_plain(probes, program) == 0) {
		probes->approximate = true;
		result = 0;
	}
	return result;
}

void
objects_close(struct probes *probes)
{
	for (size_t i = 0; i < program_count; i++) {
		bpf_object__close(probes->objects[i]);
		probes->objects[i] = NULL;
	}
	bpf_object__close(probes->together);
	probes->together = NULL;
}
