/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * attach - programs to their hooks, and which of them the kernel took.
 *
 * What is pinned and of this build is taken over as it runs. Of another build, a
 * link to a cgroup gets the new program in one step; a link to a tracepoint
 * cannot, so the new one is pinned beside it under the next generation's name, and
 * asleep until the settings name that generation. A start that is killed on the
 * way leaves links of two generations, of which the settings name the one that
 * counts: the other is removed by the next start.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "probes_private.h"
#include "programs.h"

const char *
link_name(char out[LINK_NAME], const struct probes *probes, size_t i)
{
	if (programs[i].attach == BY_LINK)
		snprintf(out, LINK_NAME, "%s_%u", programs[i].name, probes->generation);
	else
		snprintf(out, LINK_NAME, "%s", programs[i].name);
	return out;
}

/* Where the program's link is pinned. */
static const char *
link_path(char out[PIN_PATH], const struct probes *probes, size_t i)
{
	char name[LINK_NAME];

	return pin_path(out, probes->pins.set, "link_", link_name(name, probes, i));
}

bool
link_is_dead(const struct bpf_link *link)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) == 0 &&
	       info.type == BPF_LINK_TYPE_CGROUP && !info.cgroup.cgroup_id;
}

static struct bpf_link *
open_pinned(const struct probes *probes, size_t i)
{
	char path[PIN_PATH];
	struct bpf_link *link;

	if (!probes->adopted)
		return NULL;
	link = bpf_link__open(link_path(path, probes, i));
	if (!link || !link_is_dead(link))
		return link;
	unlink(path);
	bpf_link__destroy(link);
	return NULL;
}

static void
pin_link(const struct probes *probes, size_t i)
{
	char path[PIN_PATH];

	if (probes->pins.lock < 0 || bpf_link__pin_path(probes->links[i]))
		return; /* a link that was found pinned and got a new program still is */
	link_path(path, probes, i);
	unlink(path);
	if (bpf_link__pin(probes->links[i], path) < 0)
		log_warn("pins", "%s ends with the agent: %s", programs[i].name, strerror(errno));
}

/* An iterator does its work while its file is read. */
static int
run_iterator(const struct bpf_link *link)
{
	int fd cleanup(fd_drop) = bpf_iter_create(bpf_link__fd(link));
	char bytes[64];

	if (fd < 0)
		return -errno;
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	return 0;
}

static struct bpf_link *
attach_reading(const struct probes *probes, struct bpf_program *program)
{
	union bpf_iter_link_info over = {
		.map = {.map_fd = (uint32_t)probes_map_fd(probes, "flows")}};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &over, .link_info_len = sizeof(over));

	return bpf_program__attach_iter(program, &opts);
}

static struct bpf_link *
attach_new(const struct probes *probes, enum attach how, struct bpf_program *program)
{
	switch (how) {
	case BY_CGROUP:
		return bpf_program__attach_cgroup(program, probes->cgroup_fd);
	case BY_LINK:
		return bpf_program__attach(program);
	case BY_RUNNING:
	case BY_ASKING:
		return bpf_program__attach_iter(program, NULL);
	case BY_READING:
		return attach_reading(probes, program);
	case BY_UPLINK:
		break;
	}
	errno = EINVAL;
	return NULL;
}

/* link: what is pinned, to be given the new program; or NULL. */
static int
attach(struct probes *probes, size_t i, struct bpf_link *link)
{
	struct bpf_program *program = object_program(probes, i);

	if (!program)
		return -ENOENT;
	if (link && !bpf_link__update_program(link, program)) {
		probes->links[i] = link;
		return 0;
	}
	bpf_link__destroy(link);
	probes->links[i] = attach_new(probes, programs[i].attach, program);
	return probes->links[i] ? 0 : -errno;
}

/* In the place of what was said of the same before. */
void
coverage_put(struct probes *probes, const struct coverage *row)
{
	size_t i = 0;

	while (i < probes->coverage_count && strcmp(probes->coverage[i].unseen, row->unseen) != 0)
		i++;
	probes->coverage[i] = *row;
	probes->coverage_count += i == probes->coverage_count;
}

static void
cover(struct probes *probes, size_t i, enum coverage_state state, const char *text)
{
	struct coverage row = {.subject = programs[i].subject,
			       .hook = programs[i].hook,
			       .state = state,
			       .unseen = programs[i].unseen};

	snprintf(row.why, sizeof(row.why), "%s", text);
	coverage_put(probes, &row);
	probes->attached[i] = state == COVERAGE_ATTACHED;
}

/* 0 also when it was refused and is not required: coverage says so. */
static int
conclude(struct probes *probes, size_t i, int result, const char *detail, struct error *why)
{
	const struct program *row = &programs[i];

	if (!result) {
		cover(probes, i, COVERAGE_ATTACHED, detail);
		return 0;
	}
	cover(probes, i, COVERAGE_REFUSED, *detail ? detail : strerror(-result));
	if (row->required)
		return error_set(why, result == -EPERM ? -EPERM : -ENOTSUP, "%s (%s): %s",
				 row->subject, row->name, strerror(-result));
	return 0;
}

/* Did somebody take the link away? Of programs that are replaced the old one may be there. */
static bool
is_missed(struct probes *probes, size_t i, const struct bpf_link *link)
{
	char path[PIN_PATH], name[LINK_NAME];

	if (!probes->adopted || link || programs[i].attach == BY_RUNNING)
		return false;
	snprintf(name, sizeof(name), "%s_%u", programs[i].name, probes->settings->generation);
	return access(pin_path(path, probes->pins.set, "link_", name), F_OK) < 0;
}

static void
note_missed(struct probes *probes, size_t i)
{
	probes->interrupted |= programs[i].required;
	if (!strcmp(programs[i].name, "flow_state"))
		probes->ends_missed_ns = clock_boot_ns();
}

static int
start_program(struct probes *probes, size_t i, struct error *why)
{
	struct bpf_link *link;
	bool missed;
	int result;

	if (programs[i].instead && probes->attached[i - 1])
		return 0;
	link = open_pinned(probes, i);
	missed = is_missed(probes, i, link);
	if (link && (!probes->replaces || programs[i].attach == BY_RUNNING)) {
		probes->links[i] = link;
		cover(probes, i, COVERAGE_ATTACHED, "");
		return 0;
	}
	result = object_load(probes, i);
	if (!result)
		result = attach(probes, i, link);
	else
		bpf_link__destroy(link);
	if (!result && programs[i].attach == BY_RUNNING)
		result = run_iterator(probes->links[i]);
	if (!result)
		pin_link(probes, i);
	if (!result && missed)
		note_missed(probes, i);
	return conclude(probes, i, result,
			!result && missed ? "was gone when the agent came, and is attached again"
					  : "",
			why);
}

int
program_attach_again(struct probes *probes, size_t i)
{
	int result = object_load(probes, i);

	bpf_link__destroy(probes->links[i]);
	probes->links[i] = NULL;
	if (!result)
		result = attach(probes, i, NULL);
	if (!result)
		pin_link(probes, i);
	cover(probes, i, result ? COVERAGE_REFUSED : COVERAGE_ATTACHED,
	      result ? strerror(-result) : "");
	return result;
}

/* The filters' program is pinned too, so that it need not be loaded to be put on a new uplink. */
static int
load_filter(struct probes *probes, size_t i)
{
	const char *set = probes->pins.lock < 0 ? NULL : probes->pins.set;
	char path[PIN_PATH];
	int result, fd;

	if (set && !probes->replaces &&
	    (fd = bpf_obj_get(pin_path(path, set, "prog_", programs[i].name))) >= 0)
		return fd;
	result = object_load(probes, i);
	if (result < 0)
		return result;
	fd = dup(bpf_program__fd(object_program(probes, i)));
	if (set && fd >= 0) {
		unlink(pin_path(path, set, "prog_", programs[i].name));
		if (bpf_obj_pin(fd, path) < 0)
			log_warn("pins", "%s: %s", path, strerror(errno));
	}
	return fd;
}

static void
start_filter(struct probes *probes, size_t i)
{
	struct error detail = {0};
	int result;

	if (!probes->uplink_count) {
		cover(probes, i, COVERAGE_OFF, "no uplink to watch");
		return;
	}
	result = load_filter(probes, i);
	if (result >= 0)
		result = uplinks_attach(probes, result, &detail);
	conclude(probes, i, result, detail.text, NULL);
}

static bool
is_expected(const struct probes *probes, const char *path)
{
	char expected[PIN_PATH];

	for (size_t i = 0; i < program_count; i++)
		if (probes->attached[i] && !strcmp(link_path(expected, probes, i), path))
			return true;
	return false;
}

static void
remove_unexpected(const char *path, const char *name, void *arg)
{
	if (!is_expected(arg, path) && unlink(path) == 0)
		log_debug("pins", "link %s is let go", name);
}

/* All that counts is attached: from here on this generation does. */
static void
settle(struct probes *probes)
{
	struct wire_settings *settings = probes->settings;

	__atomic_store_n(&settings->generation, probes->generation, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < program_count; i++)
		if (!strcmp(programs[i].name, "flow_state"))
			settings->tcp_ends = probes->attached[i];
	if (!probes->adopted || probes->replaces)
		settings->approximate = probes->approximate;
	probes->approximate |= settings->approximate != 0;
}

/* The programs that count and those they lean on, in the order of the table. */
int
programs_attach(struct probes *probes, struct error *why)
{
	for (size_t i = 0; i < program_count; i++) {
		int result = 0;

		if (programs[i].attach != BY_UPLINK && programs[i].attach != BY_RUNNING)
			result = start_program(probes, i, why);
		if (result < 0)
			return result;
	}
	settle(probes);
	return 0;
}

/* Once all is counted: the filters, and the looking at what was there before. */
void
programs_attach_rest(struct probes *probes)
{
	for (size_t i = 0; i < program_count; i++) {
		if (programs[i].attach == BY_UPLINK)
			start_filter(probes, i);
		if (programs[i].attach == BY_RUNNING)
			start_program(probes, i, NULL);
	}
	uplinks_tidy(probes);
	if (probes->pins.lock >= 0)
		pins_each(probes->pins.set, "link_", remove_unexpected, probes);
}

/* Unpinning lets a link live until the last descriptor is closed, and that ends it at once. */
void
programs_detach(struct probes *probes)
{
	if (probes->pins.lock >= 0)
		pins_remove(probes->pins.set, "link_");
	for (size_t i = program_count; i-- > 0;) {
		if (programs[i].attach == BY_UPLINK && probes->attached[i])
			uplinks_detach(probes);
		bpf_link__destroy(probes->links[i]);
		probes->links[i] = NULL;
		probes->attached[i] = false;
	}
	probes->uplink_count = 0;
}

int
probes_sweeper(const struct probes *probes)
{
	for (size_t i = 0; i < program_count; i++)
		if (programs[i].attach == BY_READING && probes->links[i])
			return bpf_link__fd(probes->links[i]);
	return -1;
}
