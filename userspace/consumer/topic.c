/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* topic.c - messages of topics, by librdkafka, as nobody's group. */
#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "consumer.h"

#define WAIT_MS    10000
#define FILE_BYTES ((size_t)1 << 20)
#define WORDS      256

struct part {
	rd_kafka_topic_t *topic; /* the list's own */
	int32_t partition;
	int64_t end; /* as it was at first */
	bool is_done;
};

struct topics {
	struct consumer consumer;
	rd_kafka_t *handle;
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t **topics;
	size_t topic_count;
	struct part *parts;
	size_t part_count, open_count;
	bool follows;
	rd_kafka_message_t *message;
	char last[WORDS]; /* what librdkafka said last */
};

/* Properties
 * ----------
 */

static int
set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *why)
{
	char words[sizeof(why->text)];

	if (rd_kafka_conf_set(conf, name, value, words, sizeof(words)) == RD_KAFKA_CONF_OK)
		return 0;
	if (secret_is_named(name)) /* its words may hold the value */
		return error_set(why, -EINVAL, "%s: the value is refused", name);
	return error_set(why, -EINVAL, "%s", words);
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
set_line(rd_kafka_conf_t *conf, const char *line, struct error *why)
{
	char *copy cleanup(free_drop) = strdup(line);
	char *equals = copy ? strchr(copy, '=') : NULL;

	if (!copy)
		return error_set(why, -ENOMEM, "out of memory");
	if (!equals)
		return error_set(why, -EINVAL, "a property must be name=value");
	*equals = '\0';
	return set(conf, trim(copy), trim(equals + 1), why);
}

static int
set_file(rd_kafka_conf_t *conf, const char *path, struct error *why)
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
			error = set_line(conf, line, why);
	}
	explicit_bzero(text.data, text.length);
	if (!error)
		*why = (struct error){0};
	return error;
}

static int
set_given(rd_kafka_conf_t *conf, const char *property, struct error *why)
{
	int error;

	snprintf(why->file, sizeof(why->file), "kafka.properties");
	error = set_line(conf, property, why);
	if (!error)
		*why = (struct error){0};
	return error;
}

static int
set_all(rd_kafka_conf_t *conf, const struct consumer_options *options, struct error *why)
{
	int error = set(conf, "bootstrap.servers", options->brokers, why);

	if (!error)
		error = set(conf, "client.id", "demarc-consumer", why);
	if (!error)
		error = set(conf, "enable.partition.eof", "true", why);
	if (!error) /* a broker that waits for messages answers nothing else meanwhile */
		error = set(conf, "fetch.wait.max.ms", "50", why);
	if (!error)
		error = set(conf, "allow.auto.create.topics", "false", why);
	if (!error && options->properties_file && *options->properties_file)
		error = set_file(conf, options->properties_file, why);
	for (const char *const *each = options->properties; !error && each && *each; each++)
		error = set_given(conf, *each, why);
	return error;
}

/* Only the last words matter: a consumer that gives up says them. That a producer's property is of
 * no use here is none. */
static void
note_words(const rd_kafka_t *handle, int level, const char *facility, const char *words)
{
	struct topics *topics = rd_kafka_opaque(handle);

	(void)level;
	if (strcmp(facility, "CONFWARN") != 0)
		snprintf(topics->last, sizeof(topics->last), "%s", words);
}

static int
open_handle(struct topics *topics, const struct consumer_options *options, struct error *why)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char words[sizeof(why->text)];
	int error = set_all(conf, options, why);

	rd_kafka_conf_set_opaque(conf, topics);
	rd_kafka_conf_set_log_cb(conf, note_words);
	if (!error) {
		topics->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof(words));
		if (topics->handle)
			return 0;
		error = error_set(why, -EINVAL, "%s", words);
	}
	rd_kafka_conf_destroy(conf);
	return error;
}

/* Partitions
 * ----------
 */

static int
refuse(const struct topics *topics, const char *name, const char *words, struct error *why)
{
	return error_set(why, -ENOTCONN, "%s: %s%s%.200s", name, words, *topics->last ? "; " : "",
			 topics->last);
}

static int64_t
start_of(int64_t from, int64_t low, int64_t high)
{
	if (from == CONSUMER_BEGINNING)
		return low;
	if (from == CONSUMER_END)
		return high;
	if (from < 0)
		from = from < low - high ? low : high + from;
	return from < low ? low : from > high ? high : from;
}

static int
start_part(struct topics *topics, rd_kafka_topic_t *topic, int32_t partition,
	   const struct consumer_options *options, struct error *why)
{
	const char *name = rd_kafka_topic_name(topic);
	int wait_ms = (int)(options->wait_ms ? options->wait_ms : WAIT_MS);
	struct part *parts = reallocarray(topics->parts, topics->part_count + 1, sizeof(*parts));
	int64_t low, high, start;
	rd_kafka_resp_err_t error;

	if (!parts)
		return error_set(why, -ENOMEM, "out of memory");
	topics->parts = parts;
	error = rd_kafka_query_watermark_offsets(topics->handle, name, partition, &low, &high,
						 wait_ms);
	if (error)
		return refuse(topics, name, rd_kafka_err2str(error), why);
	start = start_of(options->from, low, high);
	if (rd_kafka_consume_start_queue(topic, partition, start, topics->queue) < 0)
		return refuse(topics, name, rd_kafka_err2str(rd_kafka_last_error()), why);
	parts[topics->part_count++] =
		(struct part){topic, partition, high, start >= high && !options->follow};
	topics->open_count += !parts[topics->part_count - 1].is_done;
	return 0;
}

static int
start_topic(struct topics *topics, const char *name, const struct consumer_options *options,
	    struct error *why)
{
	int wait_ms = (int)(options->wait_ms ? options->wait_ms : WAIT_MS);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(topics->handle, name, NULL);
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error;
	int result = 0;

	if (!topic)
		return refuse(topics, name, rd_kafka_err2str(rd_kafka_last_error()), why);
	topics->topics[topics->topic_count++] = topic;
	error = rd_kafka_metadata(topics->handle, 0, topic, &metadata, wait_ms);
	if (error)
		return refuse(topics, name, rd_kafka_err2str(error), why);
	if (metadata->topic_cnt < 1 || metadata->topics[0].err)
		result = refuse(topics, name, rd_kafka_err2str(metadata->topics[0].err), why);
	for (int i = 0; !result && i < metadata->topics[0].partition_cnt; i++)
		result = start_part(topics, topic, metadata->topics[0].partitions[i].id, options,
				    why);
	rd_kafka_metadata_destroy(metadata);
	return result;
}

/* Messages
 * --------
 */

static struct part *
find_part(const struct topics *topics, const rd_kafka_message_t *message)
{
	for (size_t i = 0; i < topics->part_count; i++)
		if (topics->parts[i].topic == message->rkt &&
		    topics->parts[i].partition == message->partition)
			return &topics->parts[i];
	return NULL;
}

/* Up to where the partition ended at first. */
static void
note_progress(struct topics *topics, const rd_kafka_message_t *message, int64_t next)
{
	struct part *part = find_part(topics, message);

	if (!part || part->is_done || topics->follows || next < part->end)
		return;
	part->is_done = true;
	topics->open_count--;
}

static void
fill_headers(struct consumer_message *out, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t length;

	if (rd_kafka_message_headers(message, &headers))
		return;
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &length); i++) {
		if (out->header_count == CONSUMER_HEADERS) {
			out->has_more_headers = true;
			return;
		}
		out->headers[out->header_count++] =
			(struct consumer_header){name, value ? value : "", value ? length : 0};
	}
}

static void
fill(struct consumer_message *out, const rd_kafka_message_t *message)
{
	*out = (struct consumer_message){
		.topic = rd_kafka_topic_name(message->rkt),
		.partition = message->partition,
		.offset = message->offset,
		.key = message->key,
		.key_length = message->key_len,
		.value = message->payload,
		.length = message->len,
	};
	fill_headers(out, message);
}

static int
judge(struct topics *topics, struct consumer_message *out, struct error *why)
{
	rd_kafka_message_t *message = topics->message;

	switch (message->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		note_progress(topics, message, message->offset + 1);
		fill(out, message);
		return 1;
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		note_progress(topics, message, message->offset);
		return 0;
	default:
		return error_set(why, -EIO, "%s: %s",
				 message->rkt ? rd_kafka_topic_name(message->rkt) : "kafka",
				 rd_kafka_message_errstr(message));
	}
}

static int
next(struct consumer *consumer, struct consumer_message *out, unsigned int timeout_ms,
     struct error *why)
{
	struct topics *topics = (struct topics *)(void *)consumer;

	if (topics->message)
		rd_kafka_message_destroy(take(topics->message));
	if (!topics->open_count)
		return -ENODATA;
	rd_kafka_poll(topics->handle, 0);
	topics->message = rd_kafka_consume_queue(topics->queue, (int)timeout_ms);
	return topics->message ? judge(topics, out, why) : 0;
}

static void
close_topics(struct consumer *consumer)
{
	struct topics *topics = (struct topics *)(void *)consumer;

	if (topics->message)
		rd_kafka_message_destroy(topics->message);
	for (size_t i = 0; i < topics->part_count; i++)
		rd_kafka_consume_stop(topics->parts[i].topic, topics->parts[i].partition);
	for (size_t i = 0; i < topics->topic_count; i++)
		rd_kafka_topic_destroy(topics->topics[i]);
	if (topics->queue)
		rd_kafka_queue_destroy(topics->queue);
	if (topics->handle)
		rd_kafka_destroy(topics->handle);
	free(topics->topics);
	free(topics->parts);
	free(topics);
}

static const struct consumer_ops ops = {next, close_topics};

int
consumer_open(struct consumer **out, const struct consumer_options *options, struct error *why)
{
	struct topics *topics = calloc(1, sizeof(*topics));
	size_t count = 0;
	int error;

	if (!topics)
		return error_set(why, -ENOMEM, "out of memory");
	topics->consumer.ops = &ops;
	topics->follows = options->follow;
	while (options->topics[count])
		count++;
	topics->topics = calloc(count + 1, sizeof(struct rd_kafka_topic_s *));
	error = topics->topics ? open_handle(topics, options, why) : -ENOMEM;
	if (!error)
		topics->queue = rd_kafka_queue_new(topics->handle);
	for (size_t i = 0; !error && i < count; i++)
		error = start_topic(topics, options->topics[i], options, why);
	if (error) {
		close_topics(&topics->consumer);
		return error;
	}
	*out = &topics->consumer;
	return 0;
}
