/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* client.c - a librdkafka producer and its callbacks, all called from client_poll(). */
#include "stream/client.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BROKERS_KNOWN 32
#define POLL_EVENTS   100000
#define ASK_MS        500

struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct client {
	rd_kafka_t *handle;
	rd_kafka_topic_t *topics[STREAM_TOPICS];
	rd_kafka_queue_t *queue;
	struct client_ops ops;
	void *arg;
	struct client_state state;
	rd_kafka_resp_err_t said; /* the last error that was logged */
	char known[BROKERS_KNOWN][128];
	size_t known_count;
	struct property_files files;
	struct stamp stamps[PROPERTIES_FILES];
};

static void *
pack(struct ticket ticket)
{
	uint64_t packed = (uint64_t)ticket.topic << 61 |
			  (uint64_t)(ticket.generation & 0x1fffffff) << 32 | ticket.number;

	return (void *)(uintptr_t)packed;
}

static struct ticket
unpack(const void *opaque)
{
	uint64_t packed = (uintptr_t)opaque;

	return (struct ticket){
		.topic = (enum stream_topic)(packed >> 61),
		.generation = (uint32_t)(packed >> 32) & 0x1fffffff,
		.number = (uint32_t)packed,
	};
}

static void
on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *arg)
{
	struct client *client = arg;

	(void)handle;
	if (!message->err) {
		client->state.error[0] = '\0';
		client->said = RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	client->ops.report(client->arg, unpack(message->_private), message->err);
}

/* A broker that is away says so with every attempt: once is enough for the log. */
static void
on_error(rd_kafka_t *handle, int error, const char *text, void *arg)
{
	struct client *client = arg;
	char words[256];

	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_fatal_error(handle, words, sizeof(words));
		client->state.is_fatal = true;
		text = words;
	}
	snprintf(client->state.error, sizeof(client->state.error), "%.255s", text);
	if (client->said != (rd_kafka_resp_err_t)error)
		log_warn("kafka", "%s", text);
	client->said = (rd_kafka_resp_err_t)error;
}

static void
on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	(void)handle;
	if (level <= 2)
		log_error("kafka", "%s: %s", facility, text);
	else
		log_debug("kafka", "%s: %s", facility, text);
}

static void
note_broker(struct client *client, const char *name)
{
	for (size_t i = 0; i < client->known_count; i++)
		if (strcmp(client->known[i], name) == 0)
			return;
	if (client->known_count == BROKERS_KNOWN)
		return;
	snprintf(client->known[client->known_count++], sizeof(client->known[0]), "%s", name);
	client->ops.connected(client->arg, name);
}

/* Brokers that are up; those that were only bootstrapped from have no number. */
static int
on_statistics(rd_kafka_t *handle, char *json, size_t length, void *arg)
{
	struct client *client = arg;
	cJSON *root = cJSON_ParseWithLength(json, length);
	const cJSON *broker;

	(void)handle;
	client->state.brokers_up = 0;
	cJSON_ArrayForEach(broker, cJSON_GetObjectItemCaseSensitive(root, "brokers"))
	{
		const char *state =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(broker, "state"));
		const char *name =
			cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(broker, "nodename"));
		double id =
			cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(broker, "nodeid"));

		if (!state || !name || strcmp(state, "UP") != 0 || id < 0)
			continue;
		client->state.brokers_up++;
		note_broker(client, name);
	}
	cJSON_Delete(root);
	return 0;
}

static int
open_handle(struct client *client, rd_kafka_conf_t *conf, struct error *why)
{
	char words[sizeof(why->text)];

	rd_kafka_conf_set_opaque(conf, client);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_stats_cb(conf, on_statistics);
	client->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, words, sizeof(words));
	if (client->handle)
		return 0;
	rd_kafka_conf_destroy(conf);
	return error_set(why, -EINVAL, "%s", words);
}

static int
open_topics(struct client *client, const char *prefix, struct error *why)
{
	static const char *const words[STREAM_TOPICS] = {
		[STREAM_VIOLATIONS] = "violations",
		[STREAM_EVIDENCE] = "evidence",
		[STREAM_ACTIVITY] = "activity",
		[STREAM_HEALTH] = "health",
	};
	char name[256];

	for (int i = 0; i < STREAM_TOPICS; i++) {
		snprintf(name, sizeof(name), "%.200s.%s.v1", prefix ? prefix : "demarc", words[i]);
		client->topics[i] = rd_kafka_topic_new(client->handle, name, NULL);
		if (!client->topics[i])
			return error_set(why, -EINVAL, "topic %.200s: %s", name,
					 rd_kafka_err2str(rd_kafka_last_error()));
	}
	return 0;
}

DEFINE_DROP(struct client *, client, client_close)

int
client_open(struct client **out, const struct stream_options *options, const struct client_ops *ops,
	    void *arg, int wake_fd, struct error *why)
{
	static const uint64_t one = 1;
	struct client *client cleanup(client_drop) = calloc(1, sizeof(*client));
	rd_kafka_conf_t *conf;
	int error;

	if (!client)
		return error_set(why, -ENOMEM, "out of memory");
	client->ops = *ops;
	client->arg = arg;
	error = properties_apply(&conf, options, &client->files, why);
	if (!error)
		error = open_handle(client, conf, why);
	if (!error)
		error = open_topics(client, options->topic_prefix, why);
	if (error)
		return error;
	client_is_outdated(client);
	client->queue = rd_kafka_queue_get_main(client->handle);
	if (wake_fd >= 0)
		rd_kafka_queue_io_event_enable(client->queue, wake_fd, &one, sizeof(one));
	*out = take(client);
	return 0;
}

void
client_close(struct client *client)
{
	if (!client)
		return;
	if (client->queue)
		rd_kafka_queue_destroy(client->queue);
	for (int i = 0; i < STREAM_TOPICS; i++)
		if (client->topics[i])
			rd_kafka_topic_destroy(client->topics[i]);
	if (client->handle) {
		client_purge(client);
		rd_kafka_destroy(client->handle);
	}
	free(client);
}

rd_kafka_resp_err_t
client_send(struct client *client, const struct outgoing *message)
{
	rd_kafka_resp_err_t error = rd_kafka_producev(
		client->handle, RD_KAFKA_V_RKT(client->topics[message->ticket.topic]),
		RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		RD_KAFKA_V_KEY(message->key, message->key_length),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value, message->length),
		RD_KAFKA_V_HEADERS(message->headers), RD_KAFKA_V_OPAQUE(pack(message->ticket)),
		RD_KAFKA_V_END);

	if (error) /* then they are still ours */
		rd_kafka_headers_destroy(message->headers);
	client->state.is_fatal |= error == RD_KAFKA_RESP_ERR__FATAL;
	return error;
}

void
client_poll(struct client *client)
{
	for (int i = 0; i < POLL_EVENTS && rd_kafka_poll(client->handle, 0) > 0; i++)
		;
}

rd_kafka_resp_err_t
client_ask(struct client *client, enum stream_topic topic)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t error;

	if (!client->state.brokers_up)
		return RD_KAFKA_RESP_ERR_NO_ERROR; /* the state says that already */
	error = rd_kafka_metadata(client->handle, 0, client->topics[topic], &metadata, ASK_MS);
	if (error)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	if (metadata->topic_cnt == 1)
		error = metadata->topics[0].err;
	rd_kafka_metadata_destroy(metadata);
	return error;
}

/* Waits for librdkafka's threads: what is sent behind it must not be caught, or go ahead of what
 * was. */
void
client_purge(struct client *client)
{
	rd_kafka_purge(client->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

void
client_state(const struct client *client, struct client_state *out)
{
	*out = client->state;
}

const char *
client_topic(const struct client *client, enum stream_topic topic)
{
	return rd_kafka_topic_name(client->topics[topic]);
}

rd_kafka_t *
client_handle(struct client *client)
{
	return client->handle;
}

bool
client_is_outdated(struct client *client)
{
	struct stamp now;
	struct stat status;
	bool is_changed = false;

	for (size_t i = 0; i < client->files.count; i++) {
		if (stat(client->files.paths[i], &status) < 0)
			continue; /* being replaced: look again later */
		now = (struct stamp){.device = status.st_dev,
				     .inode = status.st_ino,
				     .size = status.st_size,
				     .changed = status.st_mtim};
		if (memcmp(&now, &client->stamps[i], sizeof(now)) != 0)
			is_changed = true;
		client->stamps[i] = now;
	}
	return is_changed;
}

/* Brokers are left out: nobody is connected to. */
int
stream_check(const struct stream_options *options, struct error *why)
{
	struct stream_options alone = *options;
	struct client *client cleanup(client_drop) = NULL;
	rd_kafka_conf_t *conf;
	int error;

	if (!options->cluster || !*options->cluster)
		return error_set(why, -EINVAL,
				 "kafka.brokers needs cluster to be set: messages are named by it");
	client = calloc(1, sizeof(*client));
	if (!client)
		return error_set(why, -ENOMEM, "out of memory");
	alone.brokers = "";
	error = properties_apply(&conf, &alone, NULL, why);
	if (error)
		return error;
	rd_kafka_conf_set(conf, "bootstrap.servers", "", NULL, 0);
	rd_kafka_conf_set(conf, "statistics.interval.ms", "0", NULL, 0);
	error = open_handle(client, conf, why);
	return error ? error : open_topics(client, options->topic_prefix, why);
}
