/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stale - sets of maps that an agent with another layout or scope left pinned.
 *
 * They fall silent at the moment in which the new set begins to count, and are
 * then read and discarded one by one. A set stays pinned until it is discarded, so
 * that one that was not read to its end is found again.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "probes_private.h"

#define PAGE_BYTES 4096

/* The settings of a pinned set, mapped: older ones may be shorter, and read as zeros there. */
struct settings_view {
	struct wire_settings *settings;
	uint32_t bytes; /* that they have */
};

static bool
open_view(struct settings_view *view, const char *set)
{
	char path[PIN_PATH];
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_obj_get(pin_path(path, set, "map_", "settings"));
	void *memory;

	if (fd < 0)
		return false;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		info.value_size = 0;
	memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return false;
	view->settings = memory;
	view->bytes = info.value_size;
	return true;
}

static void
close_view(struct settings_view *view)
{
	munmap(view->settings, PAGE_BYTES);
}

#define HAS(view, field) \
	((view)->bytes >= offsetof(struct wire_settings, field) + sizeof((view)->settings->field))

/* Too old to be told: its links are all that can be taken from it. */
static void
silence_view(const struct settings_view *view, const char *set, uint64_t now_ns)
{
	if (!HAS(view, silent)) {
		pins_remove(set, "link_");
		return;
	}
	if (view->settings->silent)
		return;
	__atomic_store_n(&view->settings->silent, 1, __ATOMIC_SEQ_CST);
	if (HAS(view, silenced_ns))
		view->settings->silenced_ns = now_ns;
}

static void
silence(const char *set, const char *name, void *arg)
{
	const struct probes *probes = arg;
	struct settings_view view;
	bool whole;

	(void)name;
	if (!strcmp(set, probes->pins.set))
		return;
	whole = open_view(&view, set);
	if (whole) {
		whole = !HAS(&view, build) || view.settings->build;
		if (whole)
			silence_view(&view, set, clock_boot_ns());
		close_view(&view);
	}
	if (!whole) {
		log_info("pins", "%s was never whole, and is removed", set);
		pins_remove_set(set);
	}
}

void
stale_silence(struct probes *probes)
{
	pins_each(probes->pins.instance, "", silence, probes);
}

static void
find(const char *set, const char *name, void *arg)
{
	char *found = arg;
	struct settings_view view;

	(void)name;
	if (*found || !open_view(&view, set))
		return;
	if (!HAS(&view, silent) || view.settings->silent)
		snprintf(found, PIN_PATH, "%s", set);
	close_view(&view);
}

static uint32_t
entries_of(const struct probes *probes, const char *map, size_t value_bytes)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(probes_map_fd(probes, map), &info, &size) < 0 ||
	    info.value_size != value_bytes)
		return 0;
	return info.max_entries;
}

int
stale_open(struct probes **out, const char *set, const struct probes_options *options)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	int result;

	if (!probes)
		return -ENOMEM;
	probes->options = *options;
	probes->stale = true;
	probes->cgroup_fd = probes->uplink_program_fd = probes->pins.lock = -1;
	snprintf(probes->pins.set, sizeof(probes->pins.set), "%s", set);
	result = objects_adopt_maps(probes, set);
	if (!result) {
		uint32_t totals = entries_of(probes, "totals", sizeof(struct wire_sum));

		probes->cpus = entries_of(probes, "counters", sizeof(struct wire_counters)) /
			       WIRE_KIND_MAX;
		result = !probes->cpus || totals != probes->cpus * WIRE_TOTALS
				 ? -EBADMSG
				 : settings_map(probes);
	}
	if (result < 0) {
		probes_close(probes);
		return result;
	}
	probes->approximate = probes->settings->approximate;
	*out = probes;
	return 0;
}

void
programs_wait(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		usleep(50000);
}

int
probes_open_stale(struct probes **out, const struct probes_options *options, uint64_t *stopped_ns,
		  struct error *why)
{
	char reason[160], found[PIN_PATH];
	struct pins pins;
	int result;

	if (options->apart || pins_check(options->pins, reason, sizeof(reason)) < 0)
		return -ENOENT;
	pins_name(&pins, options->pins, options->instance);
	for (;;) {
		*found = 0;
		pins_each(pins.instance, "", find, found);
		if (!*found)
			return -ENOENT;
		pins_remove(found, "link_");
		pins_remove(found, "prog_");
		programs_wait();
		result = stale_open(out, found, options);
		if (!result)
			break;
		if (result == -ENOMEM)
			return error_set(why, result, "%s: %s", found, strerror(-result));
		log_error("pins", "%s cannot be read and is removed: %s", found, strerror(-result));
		pins_remove_set(found);
	}
	*stopped_ns = (*out)->settings->silenced_ns;
	if (!*stopped_ns)
		*stopped_ns = clock_boot_ns();
	return 0;
}

void
probes_discard(struct probes *probes)
{
	if (probes)
		pins_remove_set(probes->pins.set);
	probes_close(probes);
}
