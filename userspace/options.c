/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* options - what every command shares. */
#include <errno.h>
#include <stdarg.h>
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
	else if (letter == 's' && options->set_count++ < OPTIONS_SETS)
		options->sets[options->set_count - 1] = value;
	else if (letter == 'X' && options->property_count++ < OPTIONS_SETS)
		options->properties[options->property_count - 1] = value;
	return letter == 'c' || letter == 's' || letter == 'X';
}

/* "demarc run: no option '--jsn'; did you mean '--json'? (demarc run --help says more)" */
static int
refuse(const char *command, const char *text)
{
	const char *space = *command ? " " : "";

	fprintf(stderr, "demarc%s%s: %s (demarc%s%s --help says more)\n", space, command, text,
		space, command);
	return EXIT_USAGE;
}

int
usage_end(const struct usage *usage, int letter, const struct error *why)
{
	if (letter != 'h')
		return refuse(usage->command, why->text);
	fputs(usage->help, stdout);
	return EXIT_OK;
}

int
usage_refuse(const struct usage *usage, const char *format, ...)
{
	struct error why = {0};
	char text[sizeof(why.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(&why, 0, "%s", text);
	return refuse(usage->command, why.text);
}

int
refuse_name(const char *command, const char *what, const char *name, const char *const *names,
	    size_t count)
{
	const char *near = nearest_word(name, names, count);
	struct error why = {0};

	error_set(&why, 0, "no %s '%.64s'%s%s%s", what, name, near ? "; did you mean '" : "",
		  near ? near : "", near ? "'?" : "");
	return refuse(command, why.text);
}

int
complain(int code, const struct error *why)
{
	char text[1024];

	fprintf(stderr, "demarc: %s\n", error_format(why, text, sizeof(text)));
	return code;
}

int
output_failed(int error)
{
	struct error why = {0};

	if (error == -EPIPE)
		return EXIT_IO;
	error_set(&why, error, "cannot write to the output: %s", strerror(-error));
	return complain(EXIT_IO, &why);
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
		.properties = options->properties,
	};
	struct error why = {0};

	if (options->set_count > OPTIONS_SETS || options->property_count > OPTIONS_SETS) {
		error_set(&why, -E2BIG, "more than %d of --set or -X", OPTIONS_SETS);
		return complain(EXIT_USAGE, &why);
	}
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
