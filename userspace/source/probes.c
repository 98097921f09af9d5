/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probes - a set of maps and programs: found, made, stopped, left counting.
 *
 * A set that is pinned goes through these moments; killed between any two, it is
 * completed or removed by the next start:
 *
 *	maps pinned, silent	build is 0: never whole, removed
 *	programs attached	the same
 *	build written		whole, and silent: completed
 *	other sets silenced	the same; nothing counts for a moment
 *	silent taken back	counts, with an agent or without
 *	silent for ever		was stopped: read as a set of another layout is
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "probes_private.h"
#include "programs.h"

#define BUILD_CHANGING UINT64_MAX /* programs of two builds are attached */
#define PASS_NS        50000      /* longer than a program runs */

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

void
libbpf_quiet(void)
{
	libbpf_set_print(quiet);
}

/* Not a program, yet a subject: whether a lost record's place is known exactly. */
static void
cover_sequence(struct probes *probes)
{
	coverage_put(probes,
		     &(struct coverage){
			     .subject = "sequence numbers",
			     .hook = "fetch-and-add",
			     .state = COVERAGE_REFUSED,
			     .unseen = "the exact place of lost records; their number is exact",
			     .why = "sequence: approximate (the kernel is older than 5.12)",
		     });
}

/* Nor this: whether what passes between two agents is seen. */
void
coverage_pins(struct probes *probes, enum coverage_state state, const char *text)
{
	struct coverage row = {.subject = "counting while the agent is away",
			       .hook = "BPF file system",
			       .state = state,
			       .unseen = PINS_UNSEEN};

	snprintf(row.why, sizeof(row.why), "%.150s", text);
	coverage_put(probes, &row);
}

/* 0 with pins.lock < 0: nothing will be pinned. */
static int
open_pins(struct probes *probes, struct error *why)
{
	const struct probes_options *options = &probes->options;
	char layout[LAYOUT_TEXT], reason[160];
	struct error detail = {0};
	int result = pins_check(options->pins, reason, sizeof(reason));

	if (options->apart || result < 0) {
		coverage_pins(probes, result < 0 ? COVERAGE_OFF : COVERAGE_ATTACHED,
			      result < 0 ? reason : "");
		return 0;
	}
	result = pins_open(&probes->pins, options->pins, options->instance, true, &detail);
	if (result == -EBUSY)
		return error_set(why, result, "%s", detail.text);
	if (!result) {
		result = layout_name(probes, layout);
		snprintf(probes->pins.set, sizeof(probes->pins.set), "%s/%s", probes->pins.instance,
			 layout);
		error_set(&detail, result, "no digest of the maps: %s", strerror(-result));
	}
	if (result < 0) {
		pins_close(&probes->pins);
		log_warn("pins", "the kernel will not count while the agent is away: %s",
			 detail.text);
	}
	coverage_pins(probes, result < 0 ? COVERAGE_OFF : COVERAGE_ATTACHED,
		      result < 0 ? detail.text : "");
	return 0;
}

static void
forget_maps(struct probes *probes)
{
	settings_unmap(probes);
	probes->settings = NULL;
	probes->counters = NULL;
	probes->totals = NULL;
	while (probes->map_count)
		close(probes->maps[--probes->map_count].fd);
}

/* What fell silent once never counts again: it is read as a set of another layout is. */
static bool
put_aside(struct probes *probes)
{
	char aside[PIN_PATH];

	if (!probes->settings->silent || !probes->settings->silenced_ns)
		return false;
	snprintf(aside, sizeof(aside), "%s_%016llx", probes->pins.set,
		 (unsigned long long)probes->settings->set);
	if (rename(probes->pins.set, aside) < 0)
		return false;
	log_info("pins", "%s was stopped and not read to its end", probes->pins.set);
	forget_maps(probes);
	return true;
}

/* Of what only the programs need they may go on with their own; these we write to or hand on. */
static bool
is_complete(const struct probes *probes)
{
	return probes_map_fd(probes, "own_nets") >= 0 && probes_map_fd(probes, "socks") >= 0;
}

/* True when a whole set of this layout is pinned: its maps are ours. */
static bool
adopt(struct probes *probes)
{
	if (access(probes->pins.set, F_OK) < 0)
		return false;
	if (!objects_adopt_maps(probes, probes->pins.set) && !settings_map(probes) &&
	    probes->settings->build && is_complete(probes)) {
		if (put_aside(probes))
			return false;
		probes->adopted = true;
		probes->replaces = probes->settings->build != probes->build;
		probes->generation = probes->settings->generation + probes->replaces;
		return true;
	}
	log_info("pins", "%s was never whole, and is made anew", probes->pins.set);
	forget_maps(probes);
	pins_remove_set(probes->pins.set);
	return false;
}

static int
create(struct probes *probes)
{
	int result = probes->pins.lock >= 0 ? pins_make(&probes->pins) : 0;

	if (!result)
		result = objects_create_maps(probes);
	if (!result)
		result = settings_map(probes);
	if (result < 0)
		return result;
	probes->settings->silent = probes->pins.lock >= 0;
	return getrandom(&probes->settings->set, sizeof(probes->settings->set), 0) < 0 ? -errno : 0;
}

static int
open_maps(struct probes *probes, struct error *why)
{
	int result = 0;

	if (program_count > PROGRAMS_MAX)
		return -E2BIG;
	if (probes->pins.lock < 0 || !adopt(probes))
		result = create(probes);
	if (result < 0)
		return error_set(why, result == -EPERM ? -EPERM : -ENOTSUP,
				 "cannot create BPF maps: %s", strerror(-result));
	result = settings_tell_own(probes);
	if (result < 0)
		return error_set(why, result, "cannot set up BPF maps: %s", strerror(-result));
	settings_tell(probes);
	return 0;
}

/*
 * Count, and let no other set count. In between nobody does, for as long as a
 * program may run that began before: so no packet is counted in both.
 */
static void
take_over(struct probes *probes)
{
	uint64_t until_ns;

	stale_silence(probes);
	if (!probes->settings->silent)
		return;
	until_ns = clock_boot_ns() + PASS_NS;
	while (clock_boot_ns() < until_ns)
		;
	probes->settings->begun_ns = until_ns;
	__atomic_store_n(&probes->settings->silent, 0, __ATOMIC_SEQ_CST);
}

static int
start(struct probes *probes, struct error *why)
{
	int result = scope_open(probes, why);

	result = result ?: uplinks_find(probes, why);
	result = result ?: open_pins(probes, why);
	result = result ?: open_maps(probes, why);
	if (result < 0)
		return result;
	if (probes->replaces)
		probes->settings->build = BUILD_CHANGING;
	result = programs_attach(probes, why);
	if (result < 0)
		return result;
	__atomic_store_n(&probes->settings->build, probes->build, __ATOMIC_SEQ_CST);
	if (probes->pins.lock >= 0)
		take_over(probes);
	else
		probes->settings->begun_ns = clock_boot_ns();
	programs_attach_rest(probes);
	objects_close(probes);
	if (probes->approximate)
		cover_sequence(probes);
	return 0;
}

static void
say_pins(const struct probes *probes)
{
	if (probes->pins.lock < 0)
		return;
	log_info("pins", "%s %s%s",
		 probes->adopted ? "the kernel was counting already:"
				 : "the kernel goes on "
				   "counting without us:",
		 probes->pins.set, probes->replaces ? ", its programs are replaced" : "");
}

int
probes_open(struct probes **out, const struct probes_options *options, struct error *why)
{
	struct probes *probes = calloc(1, sizeof(*probes));
	int result;

	if (!probes)
		return -ENOMEM;
	libbpf_quiet();
	probes->options = *options;
	probes->cgroup_fd = probes->uplink_program_fd = probes->pins.lock = -1;
	probes->cpus = (unsigned int)libbpf_num_possible_cpus();
	probes->build = layout_build();
	result = start(probes, why);
	if (result < 0) {
		probes->stopped = !probes->adopted;
		probes_close(probes);
		return result;
	}
	say_pins(probes);
	*out = probes;
	return 0;
}

bool
probes_adopted(const struct probes *probes)
{
	return probes->adopted;
}

bool
probes_interrupted(const struct probes *probes)
{
	return probes->interrupted;
}

uint64_t
probes_begun_ns(const struct probes *probes)
{
	return probes->settings->begun_ns;
}

bool
probes_pinned(const struct probes *probes)
{
	return probes->pins.lock >= 0;
}

void
probes_stop(struct probes *probes)
{
	if (probes->stale || probes->stopped)
		return;
	probes->stopped = true;
	__atomic_store_n(&probes->settings->silent, 1, __ATOMIC_SEQ_CST);
	probes->settings->silenced_ns = clock_boot_ns();
	programs_wait();
	programs_detach(probes);
}

/* What was stopped stays pinned till here: who is killed before has it read by the next. */
void
probes_close(struct probes *probes)
{
	bool pinned;

	if (!probes)
		return;
	pinned = probes->pins.lock >= 0;
	if (!pinned || probes->stopped)
		programs_detach(probes);
	if (pinned && probes->stopped && *probes->pins.set)
		pins_remove_set(probes->pins.set);
	for (size_t i = 0; i < program_count; i++)
		bpf_link__destroy(probes->links[i]);
	objects_close(probes);
	forget_maps(probes);
	if (probes->uplink_program_fd >= 0)
		close(probes->uplink_program_fd);
	if (probes->cgroup_fd >= 0)
		close(probes->cgroup_fd);
	pins_close(&probes->pins);
	free(probes);
}

const struct coverage *
probes_coverage(const struct probes *probes, size_t *count)
{
	*count = probes->coverage_count;
	return probes->coverage;
}
