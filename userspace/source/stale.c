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

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "probes_private.h"

#define PAGE_BYTES 4096

/* What every set that was ever pinned has; older settings are shorter, and read as zeros behind. */
#define SETTINGS_LEAST offsetof(struct wire_settings, approximate)

/* The settings of a pinned set, mapped; NULL when there are none. */
static struct wire_settings *
open_settings(const char *set)
{
	char path[PIN_PATH];
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd cleanup(fd_drop) = bpf_obj_get(pin_path(path, set, "map_", "settings"));
	void *memory;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
	    info.value_size < SETTINGS_LEAST)
		return NULL;
	memory = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void
close_settings(struct wire_settings *settings)
{
	if (settings)
		munmap(settings, PAGE_BYTES);
}

static void
silence(const char *set, const char *name, void *arg)
{
	const struct probes *probes = arg;
	struct wire_settings *settings;

	(void)name;
	if (!strcmp(set, probes->pins.set))
		return;
	settings = open_settings(set);
	if (!settings || !settings->build) {
		log_info("pins", "%s was never whole, and is removed", set);
		pins_remove_set(set);
	} else if (!settings->silent) {
		__atomic_store_n(&settings->silent, 1, __ATOMIC_SEQ_CST);
		settings->silenced_ns = clock_boot_ns();
	}
	close_settings(settings);
}

void
stale_silence(struct probes *probes)
{
	pins_each_set(&probes->pins, silence, probes);
}

static void
find(const char *set, const char *name, void *arg)
{
	char *found = arg;
	struct wire_settings *settings = *found ? NULL : open_settings(set);

	(void)name;
	if (settings && settings->silent)
		snprintf(found, PIN_PATH, "%s", set);
	close_settings(settings);
}

/* Another build may count more kinds and totals, but each of them in the same way. */
static int
check_array(const struct probes *probes, const char *map, size_t value_bytes)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(probes_map_fd(probes, map), &info, &size) < 0)
		return -errno;
	return info.value_size == value_bytes && info.max_entries % probes->cpus == 0 ? 0
										      : -EBADMSG;
}

static int
read_maps(struct probes *probes)
{
	int result = objects_adopt_maps(probes, probes->pins.set);

	result = result ?: check_array(probes, "counters", sizeof(struct wire_counters));
	result = result ?: check_array(probes, "totals", sizeof(struct wire_sum));
	return result ?: settings_map(probes);
}

/* A set that cannot be read is lost, and what was in it is said. */
static void
say_unreadable(const char *set, int result)
{
	struct probes_removed lost = {0};

	contents_count(set, &lost);
	log_error("pins",
		  "%s cannot be read and is removed: %s; %llu flows and %llu bytes of records are "
		  "lost, and a gap tells since when",
		  set, strerror(-result), (unsigned long long)lost.flows,
		  (unsigned long long)lost.unread_bytes);
}

static int
open_set(struct probes **out, const char *set, const struct probes_options *options)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	int result;

	if (!probes)
		return -ENOMEM;
	probes->options = *options;
	probes->stale = true;
	probes->cgroup_fd = probes->uplink_program_fd = probes->pins.lock = -1;
	probes->cpus = (unsigned int)libbpf_num_possible_cpus();
	snprintf(probes->pins.set, sizeof(probes->pins.set), "%s", set);
	result = read_maps(probes);
	if (result == -ENOMEM) {
		probes_close(probes);
		return result;
	}
	probes->unreadable = result < 0;
	if (probes->unreadable)
		say_unreadable(set, result);
	else
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
	char reason[160], found[PIN_PATH] = "";
	struct pins pins;
	int result;

	if (options->apart || pins_check(options->pins, reason, sizeof(reason)) < 0)
		return -ENOENT;
	pins_name(&pins, options->pins, options->instance);
	pins_each_set(&pins, find, found);
	if (!*found)
		return -ENOENT;
	pins_remove(found, "link_");
	pins_remove(found, "prog_");
	programs_wait();
	result = open_set(out, found, options);
	if (result < 0)
		return error_set(why, result, "%s: %s", found, strerror(-result));
	*stopped_ns = (*out)->unreadable ? 0 : (*out)->settings->silenced_ns;
	if (!*stopped_ns)
		*stopped_ns = clock_boot_ns();
	return 0;
}

bool
probes_readable(const struct probes *probes)
{
	return !probes->unreadable;
}

void
probes_discard(struct probes *probes)
{
	if (probes)
		pins_remove_set(probes->pins.set);
	probes_close(probes);
}
