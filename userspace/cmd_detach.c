/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_detach - remove what a killed agent left in the kernel.
 *
 * Not what an agent is using: that one is ended first.
 */
#include <stdio.h>

#include "commands.h"
#include "live.h"
#include "options.h"
#include "privileges.h"

static const char help[] =
	"usage: demarc detach [OPTIONS]\n\n"
	"Ends the counting that goes on in the kernel while the agent is away: removes\n"
	"the programs, maps and folders that agents of this instance left pinned, and\n"
	"their filters on the uplinks. What nobody has read is lost, and counted: a\n"
	"demarc run before reads it. Refused (74) while an agent is running.\n\n"
	"      --all               those of every instance that has something in "
	"pins\n" CONFIG_HELP;

static const char *
s_of(size_t count)
{
	return count == 1 ? "" : "s";
}

static void
print(const struct probes_removed *removed)
{
	printf("%zu set%s of maps removed, with %zu link%s and %zu map%s; %zu filter%s on "
	       "uplinks\n",
	       removed->sets, s_of(removed->sets), removed->links, s_of(removed->links),
	       removed->maps, s_of(removed->maps), removed->filters, s_of(removed->filters));
	if (*removed->nowhere)
		printf("nothing was found: %s; was the agent given other pins or another "
		       "instance?\n",
		       removed->nowhere);
	if (removed->flows || removed->unread_bytes)
		printf("nobody had read %llu flow%s and %llu bytes of records (demarc run, before "
		       "demarc detach, would have)\n",
		       (unsigned long long)removed->flows, s_of(removed->flows),
		       (unsigned long long)removed->unread_bytes);
}

struct task {
	struct probes_options probes;
	size_t instances;
	int code; /* the worst so far */
};

static void
detach_one(struct task *task)
{
	struct probes_removed removed = {0};
	struct error why = {0};
	int result = probes_detach(&removed, &task->probes, &why);

	if (result < 0)
		task->code = complain(exit_code_of(result), &why);
	else
		print(&removed);
}

static void
detach_named(const char *instance, void *arg)
{
	struct task *task = arg;

	task->instances++;
	task->probes.instance = instance;
	printf("%s: ", instance);
	fflush(stdout);
	detach_one(task);
}

static void
detach_all(struct task *task)
{
	struct error why = {0};

	if (probes_each_instance(task->probes.pins, detach_named, task, &why) < 0)
		printf("nothing was found: %s\n", why.text);
	else if (!task->instances)
		printf("nothing was found: no instance has a set in %s\n", task->probes.pins);
}

static int
detach(const struct config *config, bool all)
{
	struct task task = {.code = EXIT_OK};
	struct error why = {0};
	int result = privileges_check(&why);

	if (result < 0)
		return complain(exit_code_of(result), &why);
	live_probes_options(&task.probes, config);
	if (all)
		detach_all(&task);
	else
		detach_one(&task);
	return task.code;
}

int
cmd_detach(int argc, char **argv)
{
	static const struct option names[] = {CONFIG_OPTIONS, {"all", no_argument, NULL, 'a'}, {0}};
	static const struct usage usage = {"detach", help, CONFIG_LETTERS, names};
	struct config_options options = {0};
	struct config config = {0};
	struct error why = {0};
	bool all = false;
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options, letter, optarg))
			continue;
		if (letter != 'a')
			return usage_end(&usage, letter, &why);
		all = true;
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	result = config_open(&config, &options);
	if (result)
		return result;
	result = detach(&config, all);
	config_fini(&config);
	return result;
}
