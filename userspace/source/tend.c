/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tend - look, every second, whether what counts still stands and is still pinned.
 *
 * Others can take all of it away while we run: a link from its cgroup, a filter from
 * its device, names from the BPF file system, or that itself. It is put back where
 * that can be done, and told in any case.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "probes_private.h"
#include "programs.h"

/* A sentence that grows: "A (hook), B (hook) ...". */
struct list {
	char text[WIRE_TEXT_BYTES / 2];
	bool begun;
};

static void
list_add(struct list *list, const struct program *row)
{
	size_t used = strlen(list->text);

	snprintf(list->text + used, sizeof(list->text) - used, "%s%s (%s)", list->begun ? ", " : "",
		 row->subject, row->hook);
	list->begun = true;
}

struct telling {
	uint64_t now_ns;
	record_fn fn;
	void *arg;
};

static void
tell(const struct telling *telling, const char *text)
{
	struct {
		struct wire_agent agent;
		char text[WIRE_TEXT_BYTES];
	} record = {.agent = {.head = {.kind = WIRE_AGENT,
				       .size = sizeof(record),
				       .cpu = UINT32_MAX,
				       .time_ns = telling->now_ns},
			      .life = WIRE_LIFE_COVERAGE}};

	record.agent.text.offset = sizeof(record.agent);
	record.agent.text.length = (uint16_t)snprintf(record.text, sizeof(record.text), "%s", text);
	log_warn("coverage", "%s", record.text);
	telling->fn(&record.agent.head, telling->arg);
}

static void
tell_gap(const struct telling *telling, uint64_t from_ns)
{
	const struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = telling->now_ns},
		.loss = WIRE_LOSS_DOWN,
		.missing_kind = WIRE_FLOW,
		.from_ns = from_ns,
		.to_ns = telling->now_ns,
	};

	telling->fn(&gap.head, telling->arg);
}

/*
 * Links: somebody detached them, or removed the scope
 * ---------------------------------------------------
 */

struct mending {
	struct list mended, lost;
	bool counts; /* a required one is among them */
};

static void
mend_link(struct probes *probes, size_t i, struct mending *mending)
{
	mending->counts |= programs[i].required;
	if (program_attach_again(probes, i) == 0)
		list_add(&mending->mended, &programs[i]);
	else
		list_add(&mending->lost, &programs[i]);
}

static void
tend_links(struct probes *probes, const struct telling *telling, uint64_t since_ns)
{
	struct mending mending = {0};
	char text[WIRE_TEXT_BYTES];

	for (size_t i = 0; i < program_count; i++)
		if (probes->links[i] && link_is_dead(probes->links[i]))
			mend_link(probes, i, &mending);
	if (!mending.mended.begun && !mending.lost.begun)
		return;
	objects_close(probes);
	if (mending.mended.begun) {
		snprintf(text, sizeof(text), "detached by somebody, and attached again: %s",
			 mending.mended.text);
		tell(telling, text);
	}
	if (mending.lost.begun) {
		snprintf(text, sizeof(text), "gone, and cannot be attached again: %s",
			 mending.lost.text);
		tell(telling, text);
	}
	if (mending.counts)
		tell_gap(telling, since_ns);
}

/*
 * Pins: somebody removed them, or unmounted their file system
 * -----------------------------------------------------------
 */

static int
pin_again(const struct probes *probes, const char *prefix, const char *name, int fd)
{
	char path[PIN_PATH];

	pin_path(path, probes->pins.set, prefix, name);
	if (fd < 0 || access(path, F_OK) == 0)
		return 0;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 1;
}

/* How many pins were missing, or -errno. */
static int
pin_missing(const struct probes *probes)
{
	int count = 0, result = 0;

	for (size_t i = 0; i < probes->map_count && result >= 0; i++) {
		result = pin_again(probes, "map_", probes->maps[i].name, probes->maps[i].fd);
		count += result;
	}
	for (size_t i = 0; i < program_count && result >= 0; i++) {
		char name[LINK_NAME];

		result = 0;
		if (programs[i].attach == BY_UPLINK)
			result = pin_again(probes, "prog_", programs[i].name,
					   probes->uplink_program_fd);
		else if (probes->links[i])
			result = pin_again(probes, "link_", link_name(name, probes, i),
					   bpf_link__fd(probes->links[i]));
		count += result;
	}
	return result < 0 ? result : count;
}

static int
keep_pinned(struct probes *probes, struct error *why)
{
	const struct probes_options *options = &probes->options;
	int result = pins_reopen(&probes->pins, options->pins, options->instance, why);

	if (result < 0)
		return result;
	result = pins_make(&probes->pins);
	result = result < 0 ? result : pin_missing(probes);
	return result < 0 ? error_set(why, result, "%s: %s", probes->pins.set, strerror(-result))
			  : result;
}

static void
say_pins(const struct telling *telling, const struct probes *probes, int result,
	 const struct error *why)
{
	char text[WIRE_TEXT_BYTES];

	if (result < 0)
		snprintf(text, sizeof(text),
			 "the kernel will not count while the agent is away: what was pinned is "
			 "gone (%.200s); not seen: %s",
			 why->text, PINS_UNSEEN);
	else
		snprintf(text, sizeof(text),
			 "%d names were gone from %.300s and are pinned again: the kernel will "
			 "count while the agent is away, and nothing was lost",
			 result, probes->pins.set);
	tell(telling, text);
}

static void
tend_pins(struct probes *probes, const struct telling *telling)
{
	bool was_pinned = probes->pins.lock >= 0;
	struct error why = {0};
	int result;

	if (!*probes->pins.set)
		return;
	result = keep_pinned(probes, &why);
	if (result < 0)
		pins_forget(&probes->pins);
	if (!result || (result < 0 && !was_pinned))
		return;
	coverage_pins(probes, result < 0 ? COVERAGE_OFF : COVERAGE_ATTACHED,
		      result < 0 ? why.text : "");
	say_pins(telling, probes, result, &why);
}

void
probes_tend(struct probes *probes, uint64_t now_ns, record_fn fn, void *arg)
{
	const struct telling telling = {now_ns, fn, arg};
	uint64_t since_ns = probes->tended_ns ? probes->tended_ns : probes->settings->begun_ns;
	char said[WIRE_TEXT_BYTES];

	if (uplinks_tend(probes, said, sizeof(said)))
		tell(&telling, said);
	tend_links(probes, &telling, since_ns);
	tend_pins(probes, &telling);
	probes->tended_ns = now_ns;
}
