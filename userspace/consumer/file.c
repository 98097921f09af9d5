/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* file.c - messages that somebody kept, one a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "consumer.h"

struct file {
	struct consumer consumer;
	FILE *stream;
	const char *path;
	char *text;
	size_t room;
	unsigned int number;
	struct consumer_line line;
};

static int
next(struct consumer *consumer, struct consumer_message *out, unsigned int timeout_ms,
     struct error *why)
{
	struct file *file = (struct file *)(void *)consumer;
	ssize_t length;
	int error;

	(void)timeout_ms;
	consumer_line_fini(&file->line);
	length = getline(&file->text, &file->room, file->stream);
	if (length < 0) {
		if (!ferror(file->stream))
			return -ENODATA;
		return error_set(why, -EIO, "%s: cannot read it", file->path);
	}
	file->number++;
	error = consumer_line_read(&file->line, out, file->text, (size_t)length, why);
	if (!error)
		return 1;
	why->line = file->number;
	snprintf(why->file, sizeof(why->file), "%s", file->path);
	return error == -ENOMEM ? error : -EBADMSG;
}

static void
close_file(struct consumer *consumer)
{
	struct file *file = (struct file *)(void *)consumer;

	consumer_line_fini(&file->line);
	if (file->stream != stdin)
		fclose(file->stream);
	free(file->text);
	free(file);
}

static const struct consumer_ops ops = {next, close_file};

int
consumer_file_open(struct consumer **out, const char *path, struct error *why)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return error_set(why, -ENOMEM, "out of memory");
	file->consumer.ops = &ops;
	file->path = path;
	file->stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!file->stream) {
		free(file);
		return error_set(why, -errno, "%s: %s", path, strerror(errno));
	}
	*out = &file->consumer;
	return 0;
}
