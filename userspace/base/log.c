/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* log.c - one line, one write(2), nothing in it that a terminal would obey. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define MESSAGE_BYTES 1024
#define ESCAPE_BYTES  6 /* \u001b: the most that one byte becomes */
#define BARE_BYTES    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"

/* The one state of the process: set once, before there is anything to say. */
static struct {
	enum log_level level;
	bool json;
} setup = {LOG_LEVEL_INFO, false};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

struct line {
	size_t length;
	char text[256 + ESCAPE_BYTES * MESSAGE_BYTES];
};

void
log_setup(enum log_level level, bool json)
{
	setup.level = level;
	setup.json = json;
}

static void
put(struct line *line, const char *bytes, size_t length)
{
	if (length > sizeof(line->text) - line->length)
		length = sizeof(line->text) - line->length;
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

static void
puts_plain(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static void
put_escaped(struct line *line, unsigned char byte)
{
	char text[8];

	if (byte == '\n')
		snprintf(text, sizeof(text), "\\n");
	else if (byte == '\t')
		snprintf(text, sizeof(text), "\\t");
	else if (byte == '"' || byte == '\\')
		snprintf(text, sizeof(text), "\\%c", byte);
	else
		snprintf(text, sizeof(text), setup.json ? "\\u%04x" : "\\x%02x", byte);
	puts_plain(line, text);
}

/* C0, DEL, C1 (a terminal may take U+009B for ESC [) and what would end the quotes. */
static bool
is_unsafe(const unsigned char *text, size_t width)
{
	if (width == 1)
		return text[0] < 0x20 || text[0] == 0x7f || text[0] == '"' || text[0] == '\\';
	return width == 2 && text[0] == 0xc2 && text[1] < 0xa0;
}

static void
put_quoted(struct line *line, const char *text)
{
	size_t left = strlen(text), width;

	puts_plain(line, "\"");
	for (; left; text += width, left -= width) {
		const unsigned char *byte = (const unsigned char *)text;

		width = utf8_width(text, left);
		if (width == 0) {
			width = 1;
			put_escaped(line, byte[0]);
		} else if (is_unsafe(byte, width))
			put_escaped(line, byte[width - 1]);
		else
			put(line, text, width);
	}
	puts_plain(line, "\"");
}

static void
put_pair(struct line *line, const char *name, const char *value)
{
	bool is_bare = !setup.json && value[0] && !value[strspn(value, BARE_BYTES)] &&
		       strcmp(name, "msg") != 0;

	if (setup.json)
		puts_plain(line, line->length ? "," : "{");
	else if (line->length)
		puts_plain(line, " ");
	if (setup.json) {
		put_quoted(line, name);
		puts_plain(line, ":");
	} else {
		puts_plain(line, name);
		puts_plain(line, "=");
	}
	if (is_bare)
		puts_plain(line, value);
	else
		put_quoted(line, value);
}

void
log_write(enum log_level level, const char *component, const char *format, ...)
{
	struct line line;
	char message[MESSAGE_BYTES];
	char now[CLOCK_TEXT];
	va_list args;
	int length;

	if (level > setup.level)
		return;
	va_start(args, format);
	length = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (length >= (int)sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);

	line.length = 0;
	put_pair(&line, "time", clock_format(clock_wall_ms(), now));
	put_pair(&line, "level", level_names[level]);
	put_pair(&line, "component", component);
	put_pair(&line, "msg", message);
	puts_plain(&line, setup.json ? "}\n" : "\n");
	if (write(STDERR_FILENO, line.text, line.length) < 0)
		return; /* whom to tell? */
}
