/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_probe - what this kernel lets demarc see: every hook is tried, then let go. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "commands.h"
#include "live.h"
#include "options.h"
#include "privileges.h"

static const char help[] =
	"usage: demarc probe [--json] [OPTIONS]\n\n"
	"Attaches every probe for a moment and says what took, what did not and why,\n"
	"and what stays unseen. Exit code 69 when egress itself cannot be watched.\n\n"
	"      --json              for programs\n" CONFIG_HELP;

static void
print_json(const struct probes *probes, const char *release)
{
	static const char *const states[] = {"attached", "refused", "off"};
	cJSON *root = cJSON_CreateObject();
	cJSON *list;
	char *text cleanup(free_drop) = NULL;
	size_t count;
	const struct coverage *rows = probes_coverage(probes, &count);

	cJSON_AddStringToObject(root, "kernel", release);
	list = cJSON_AddArrayToObject(root, "coverage");
	for (size_t i = 0; i < count; i++) {
		cJSON *row = cJSON_CreateObject();

		cJSON_AddItemToArray(list, row);
		cJSON_AddStringToObject(row, "subject", rows[i].subject);
		cJSON_AddStringToObject(row, "hook", rows[i].hook);
		cJSON_AddStringToObject(row, "state", states[rows[i].state]);
		cJSON_AddStringToObject(row, "why", rows[i].why);
		cJSON_AddStringToObject(row, "unseen_without", rows[i].unseen);
	}
	text = cJSON_Print(root);
	cJSON_Delete(root);
	puts(text ? text : "{}");
}

static int
probe(const struct config *config, bool json)
{
	struct probes_options options;
	struct probes *probes;
	struct utsname system;
	struct error why = {0};
	int result;

	live_probes_options(&options, config);
	options.apart = true;
	uname(&system);
	result = privileges_drop(*config->nic_netns != 0, &why);
	if (!result)
		result = probes_open(&probes, &options, &why);
	if (result < 0)
		return complain(exit_code_of(result), &why);
	if (json) {
		print_json(probes, system.release);
	} else {
		printf("kernel %s\n", system.release);
		live_print_coverage(probes, stdout);
		printf("\nNever seen by these hooks: RDMA data, DPDK and VFIO devices, AF_XDP "
		       "sends,\n"
		       "AF_PACKET sends past the queueing discipline.\n");
	}
	probes_close(probes);
	return EXIT_OK;
}

int
cmd_probe(int argc, char **argv)
{
	static const struct option names[] = {
		CONFIG_OPTIONS, {"json", no_argument, NULL, 'j'}, {0}};
	static const struct usage usage = {"probe", help, CONFIG_LETTERS, names};
	struct config_options options = {0};
	struct config config = {0};
	struct error why = {0};
	bool json = false;
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options, letter, optarg))
			continue;
		if (letter != 'j')
			return usage_end(&usage, letter, &why);
		json = true;
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	result = config_open(&config, &options);
	if (!result)
		result = probe(&config, json);
	config_fini(&config);
	return result;
}
