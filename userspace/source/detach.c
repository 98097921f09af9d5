/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* detach - take everything of an instance out of the kernel, and say what nobody had read. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probes_private.h"

#define KEY_ROOM 256 /* more than any key is long */

static uint64_t
count_keys(int fd)
{
	char keys[2][KEY_ROOM] = {{0}};
	uint64_t count = 0;

	while (bpf_map_get_next_key(fd, count ? keys[count & 1] : NULL, keys[(count + 1) & 1]) == 0)
		count++;
	return count;
}

/* A ring shows on its first page how far it is read, on its second how far it is written. */
static uint64_t
count_unread(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const char *read = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	const char *written = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	uint64_t bytes = 0;

	if (read != MAP_FAILED && written != MAP_FAILED)
		bytes = *(const volatile unsigned long *)written -
			*(const volatile unsigned long *)read;
	if (read != MAP_FAILED)
		munmap((void *)read, page);
	if (written != MAP_FAILED)
		munmap((void *)written, page);
	return bytes;
}

void
contents_count(const char *set, struct probes_removed *removed)
{
	static const char *const rings[] = {"ring_critical", "ring_bulk"};
	char path[PIN_PATH];
	int flows cleanup(fd_drop) = bpf_obj_get(pin_path(path, set, "map_", "flows"));

	if (flows >= 0)
		removed->flows += count_keys(flows);
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		int ring cleanup(fd_drop) = bpf_obj_get(pin_path(path, set, "map_", rings[i]));

		if (ring >= 0)
			removed->unread_bytes += count_unread(ring);
	}
}

struct removal {
	const struct probes_options *options;
	struct probes_removed *removed;
};

static void
remove_set(const char *set, const char *name, void *arg)
{
	struct removal *removal = arg;

	(void)name;
	removal->removed->sets++;
	removal->removed->links += pins_remove(set, "link_");
	contents_count(set, removal->removed);
	removal->removed->maps += pins_remove(set, "map_");
	pins_remove_set(set);
}

/* 0 also when nothing was ever pinned there. */
static int
remove_sets(struct removal *removal, struct error *why)
{
	const struct probes_options *options = removal->options;
	char *nowhere = removal->removed->nowhere;
	size_t room = sizeof(removal->removed->nowhere);
	struct pins pins;
	int result;

	if (pins_check(options->pins, nowhere, room) < 0)
		return 0;
	result = pins_open(&pins, options->pins, options->instance, false, why);
	if (result == -ENOENT)
		snprintf(nowhere, room, "%.140s is not there", pins.instance);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	pins_each_set(&pins, remove_set, removal);
	pins_close(&pins);
	return 0;
}

struct listing {
	instance_fn fn;
	void *arg;
	const char *pins;
};

static void
note_set(const char *set, const char *name, void *arg)
{
	(void)set;
	(void)name;
	*(bool *)arg = true;
}

/* The folder may be others' too: an instance is who has a set there. */
static void
list_instance(const char *path, const char *name, void *arg)
{
	const struct listing *listing = arg;
	char instance[PINS_NAME];
	bool has_set = false;
	struct pins pins;

	(void)path;
	if (strlen(name) >= sizeof(instance))
		return;
	pins_instance(instance, name);
	pins_name(&pins, listing->pins, instance);
	pins_each_set(&pins, note_set, &has_set);
	if (has_set)
		listing->fn(instance, listing->arg);
}

int
probes_each_instance(const char *pins, instance_fn fn, void *arg, struct error *why)
{
	struct listing listing = {fn, arg, pins};
	char reason[160];
	int result = pins_check(pins, reason, sizeof(reason));

	if (result < 0)
		return error_set(why, result, "%s", reason);
	pins_each(pins, "", list_instance, &listing);
	return 0;
}

int
probes_detach(struct probes_removed *out, const struct probes_options *options, struct error *why)
{
	struct removal removal = {options, out};
	struct probes probes = {.options = *options};
	int result;

	libbpf_quiet();
	result = remove_sets(&removal, why);
	if (result < 0)
		return result;
	out->filters += (size_t)uplinks_tidy(&probes);
	probes.options.apart = !options->apart;
	out->filters += (size_t)uplinks_tidy(&probes);
	return 0;
}
