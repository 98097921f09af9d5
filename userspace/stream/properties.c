/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* properties.c - gather librdkafka's properties; later ones win. */
#include "stream/properties.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secret.h"

#define FILE_BYTES  (1 << 20)
#define CLIENT_ID   32       /* 2.0.2 copies longer ones beyond their room */
#define IDEMPOTENCE 0x020503 /* before it, fatal errors come from ordinary outages */

typedef int (*put_fn)(void *arg, const char *name, const char *value, bool ours, struct error *why);

struct pair {
	const char *name;
	const char *value;
};

static int
put_ours(const struct stream_options *options, put_fn put, void *arg, struct error *why)
{
	bool is_safe = rd_kafka_version() >> 8 >= IDEMPOTENCE;
	char client_id[CLIENT_ID];
	const struct pair ours[] = {
		{"client.id", client_id},
		{"bootstrap.servers", options->brokers},
		{"acks", "all"},
		{"enable.idempotence", is_safe ? "true" : "false"},
		{"max.in.flight.requests.per.connection", is_safe ? "5" : "1"},
		{"partitioner", "murmur2_random"},
		{"compression.codec", "zstd"},
		{"linger.ms", "5"},
		{"message.timeout.ms", "120000"},
		{"queue.buffering.max.messages", "32768"},
		{"queue.buffering.max.kbytes", "65536"},
		{"reconnect.backoff.max.ms", "2000"},
		{"socket.keepalive.enable", "true"},
		{"statistics.interval.ms", "2000"},
		{"log.connection.close", "false"},
		{"enable.metrics.push", "false"},
	};
	int error = 0;

	snprintf(client_id, sizeof(client_id), "demarc-%.24s", options->node);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && !error; i++)
		if (ours[i].value && *ours[i].value)
			error = put(arg, ours[i].name, ours[i].value, true, why);
	return error;
}

static char *
trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

static int
put_line(char *line, put_fn put, void *arg, struct error *why)
{
	char *equals = strchr(line, '=');

	if (!equals)
		return error_set(why, -EINVAL, "a property must be name=value");
	*equals = '\0';
	return put(arg, trim(line), trim(equals + 1), false, why);
}

static int
put_file(const char *path, put_fn put, void *arg, struct error *why)
{
	struct buf text cleanup(buf_fini) = {0};
	int error = buf_read_file(&text, path, FILE_BYTES);
	unsigned int number = 0;
	char *rest, *line;

	snprintf(why->file, sizeof(why->file), "%s", path);
	if (error)
		return error_set(why, error == -ENOMEM ? error : -EINVAL, "cannot read it: %s",
				 strerror(-error));
	buf_addc(&text, '\0');
	for (rest = text.failed ? NULL : text.data; !error && (line = strsep(&rest, "\n"));) {
		why->line = ++number;
		line = trim(line);
		if (*line && *line != '#')
			error = put_line(line, put, arg, why);
	}
	if (text.data)
		explicit_bzero(text.data, text.length);
	if (!error)
		*why = (struct error){0};
	return error;
}

static int
put_given(const char *property, put_fn put, void *arg, struct error *why)
{
	char *copy cleanup(free_drop) = strdup(property);
	int error;

	if (!copy)
		return error_set(why, -ENOMEM, "out of memory");
	snprintf(why->file, sizeof(why->file), "kafka.properties");
	error = put_line(copy, put, arg, why);
	if (!error)
		*why = (struct error){0};
	return error;
}

static int
put_all(const struct stream_options *options, put_fn put, void *arg, struct error *why)
{
	int error = put_ours(options, put, arg, why);

	if (!error && options->properties_file && *options->properties_file)
		error = put_file(options->properties_file, put, arg, why);
	for (const char *const *each = options->properties; !error && each && *each; each++)
		error = put_given(*each, put, arg, why);
	return error;
}

struct target {
	rd_kafka_conf_t *conf;
	struct property_files *files;
};

static void
note_file(struct property_files *files, const char *path)
{
	if (files && *path && files->count < PROPERTIES_FILES)
		snprintf(files->paths[files->count++], sizeof(files->paths[0]), "%s", path);
}

static bool
is_location(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && strcmp(end, ".location") == 0;
}

static int
set(void *arg, const char *name, const char *value, bool ours, struct error *why)
{
	struct target *target = arg;
	char words[sizeof(why->text)];
	rd_kafka_conf_res_t result =
		rd_kafka_conf_set(target->conf, name, value, words, sizeof(words));

	if (result == RD_KAFKA_CONF_OK) {
		if (is_location(name))
			note_file(target->files, value);
		return 0;
	}
	if (ours && result == RD_KAFKA_CONF_UNKNOWN)
		return 0;          /* this library knows no better than its default */
	if (secret_is_named(name)) /* its words may hold the value */
		return error_set(why, -EINVAL, "%s: the value is refused", name);
	return error_set(why, -EINVAL, "%s", words);
}

int
properties_apply(rd_kafka_conf_t **out, const struct stream_options *options,
		 struct property_files *files, struct error *why)
{
	struct target target = {rd_kafka_conf_new(), files};
	int error;

	if (files && options->properties_file)
		note_file(files, options->properties_file);
	error = put_all(options, set, &target, why);
	if (error) {
		rd_kafka_conf_destroy(target.conf);
		return error;
	}
	*out = target.conf;
	return 0;
}

struct listener {
	void (*say)(const char *name, const char *value, void *arg);
	void *arg;
};

static int
tell(void *arg, const char *name, const char *value, bool ours, struct error *why)
{
	const struct listener *listener = arg;

	(void)ours;
	(void)why;
	listener->say(name, secret_is_named(name) ? SECRET_MASK : value, listener->arg);
	return 0;
}

int
stream_explain(const struct stream_options *options,
	       void (*say)(const char *name, const char *value, void *arg), void *arg,
	       struct error *why)
{
	struct listener listener = {say, arg};

	return put_all(options, tell, &listener, why);
}
