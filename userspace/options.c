/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options - what every command shares. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "options.h"

bool
config_option(struct config_options *options, int letter, const char *value)
{
	if (letter == 'c')
		options->path = value;
	else if (letter == 's' && options->set_count < OPTIONS_SETS)
		options->sets[options->set_count++] = value;
	else
		return false;
	return true;
}

int
complain(int code, const struct error *why)
{
	char text[1024];

	fprintf(stderr, "demarc: %s\n", error_format(why, text, sizeof(text)));
	return code;
}

static enum log_level
level_of(const char *word)
{
	const char *const words[] = {"error", "warn", "info", "debug"};

	for (int i = 0; i < 4; i++)
		if (!strcmp(word, words[i]))
			return (enum log_level)i;
	return LOG_LEVEL_INFO;
}

int
config_open(struct config *config, const struct config_options *options)
{
	struct config_sources sources = {
		.path = options->path,
		.environment = (const char *const *)environ,
		.sets = options->sets,
	};
	struct error why = {0};

	if (config_load(config, &sources, &why) < 0)
		return complain(EXIT_CONFIG, &why);
	log_setup(level_of(config->log_level), !strcmp(config->log_format, "json"));
	return EXIT_OK;
}

int
exit_code_of(int error)
{
	switch (-error) {
	case EPERM:
	case EACCES:
		return EXIT_PRIVILEGE;
	case ENOTSUP:
		return EXIT_UNSUPPORTED;
	case EINVAL:
	case ENOENT:
	case ENODEV:
		return EXIT_CONFIG;
	}
	return EXIT_IO;
}
