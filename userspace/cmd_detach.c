/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_detach - remove what a killed agent left in the kernel.
 *
 * Links of programs end with their process; filters on the uplinks do not.
 */
#include <stdio.h>

#include "commands.h"
#include "live.h"
#include "options.h"
#include "privileges.h"

static const char help[] =
	"usage: demarc detach [OPTIONS]\n\n"
	"Removes the filters that a killed agent left on the uplinks. All else ends with\n"
	"the agent's process.\n\n" CONFIG_HELP;

int
cmd_detach(int argc, char **argv)
{
	static const struct option names[] = {CONFIG_OPTIONS, {0}};
	static const struct usage usage = {"detach", help, CONFIG_LETTERS, names};
	struct config_options options = {0};
	struct config config = {0};
	struct probes_options probes;
	struct error why = {0};
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0)
		if (!config_option(&options, letter, optarg))
			return usage_end(&usage, letter, &why);
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	result = config_open(&config, &options);
	if (result)
		return result;
	live_options(&probes, &config);
	result = privileges_check(&why);
	if (!result)
		result = probes_detach(&probes, &why);
	config_fini(&config);
	if (result < 0)
		return complain(exit_code_of(result), &why);
	printf("%d filter%s removed\n", result, result == 1 ? "" : "s");
	return EXIT_OK;
}
