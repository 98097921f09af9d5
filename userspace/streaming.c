/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* streaming - the loop tells the stream what is on disk, and the journal what befell the stream. */
#include "streaming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

#define SECOND_NS   UINT64_C(1000000000)
#define NEWS_A_TURN 8

struct streaming {
	struct stream *stream;
	struct agent *agent;
	char *(*describe)(void *arg);
	void *arg;
	uint64_t health_ns;
	uint64_t beat_ns;   /* of the last heartbeat */
	char log_name[424]; /* of the newest shard, and its end */
	uint64_t next_sequence;
};

void
streaming_options(struct stream_options *options, const struct config *config, const char *node,
		  const char *journal)
{
	*options = (struct stream_options){
		.journal = journal,
		.cluster = config->cluster,
		.node = node,
		.version = DEMARC_VERSION,
		.brokers = config->kafka_brokers,
		.topic_prefix = config->kafka_topic_prefix,
		.properties = config->kafka_properties,
		.properties_file = config->kafka_properties_file,
	};
}

static int
open_stream(struct streaming *streaming, const struct config *config, const char *boot_id,
	    struct error *why)
{
	struct stream_options options;
	char journal[4096], directory[4096];
	int result;

	snprintf(journal, sizeof(journal), "%s/journal", config->state_directory);
	snprintf(directory, sizeof(directory), "%s/stream", config->state_directory);
	streaming_options(&options, config, agent_node(streaming->agent), journal);
	options.directory = directory;
	options.boot_id = boot_id;
	result = stream_check(&options, why);
	return result ? result : stream_open(&streaming->stream, &options, why);
}

int
streaming_open(struct streaming **out, const struct config *config, struct agent *agent,
	       const char *boot_id, struct error *why)
{
	struct streaming *streaming;
	int result;

	if (!*config->kafka_brokers)
		return 0;
	streaming = calloc(1, sizeof(*streaming));
	if (!streaming)
		return error_set(why, -ENOMEM, "out of memory");
	streaming->agent = agent;
	streaming->health_ns = config->kafka_health_s * SECOND_NS;
	result = open_stream(streaming, config, boot_id, why);
	if (result < 0) {
		free(streaming);
		return result;
	}
	log_info("kafka", "streaming to %s", config->kafka_brokers);
	*out = streaming;
	return 0;
}

void
streaming_describe(struct streaming *streaming, char *(*describe)(void *arg), void *arg)
{
	if (!streaming)
		return;
	streaming->describe = describe;
	streaming->arg = arg;
}

/* What waits for the disk is the newest; until all of that is of one shard, nothing new may go. */
static void
allow(struct streaming *streaming)
{
	struct agent_state state;
	struct journal_state *journal = &state.journal;

	agent_state(streaming->agent, &state);
	if (!state.has_journal || !*journal->shard)
		return;
	snprintf(streaming->log_name, sizeof(streaming->log_name), "%s", journal->shard);
	streaming->next_sequence = journal->next_sequence;
	if (journal->waiting <= journal->next_sequence)
		stream_allow(streaming->stream, journal->shard,
			     journal->next_sequence - journal->waiting);
}

static void
pass_on(struct streaming *streaming, const struct stream_news *news)
{
	if (news->kind == STREAM_NEWS_BROKER) {
		agent_say_broker(streaming->agent, news->text, news->address);
		return;
	}
	if (news->kind == STREAM_NEWS_LOST)
		agent_say_unread(streaming->agent, news->count);
	agent_say(streaming->agent, WIRE_LIFE_STREAM, news->text);
}

static void
beat(struct streaming *streaming)
{
	char *text = streaming->describe ? streaming->describe(streaming->arg) : NULL;

	stream_beat(streaming->stream, text ? text : "{}", text ? strlen(text) : 2);
	free(text);
}

void
streaming_turn(struct streaming *streaming, uint64_t now_ns)
{
	struct stream_news news;

	if (!streaming)
		return;
	allow(streaming);
	for (int i = 0; i < NEWS_A_TURN && stream_news(streaming->stream, &news); i++)
		pass_on(streaming, &news);
	if (now_ns - streaming->beat_ns < streaming->health_ns)
		return;
	streaming->beat_ns = now_ns;
	beat(streaming);
}

void
streaming_close(struct streaming *streaming, bool is_whole)
{
	if (!streaming)
		return;
	if (is_whole && *streaming->log_name)
		stream_allow(streaming->stream, streaming->log_name, streaming->next_sequence);
	stream_close(streaming->stream);
	free(streaming);
}

static void
add_number(cJSON *object, const char *name, uint64_t value)
{
	cJSON_AddNumberToObject(object, name, (double)value);
}

static void
add_topic(cJSON *topics, const struct stream_topic_state *state)
{
	cJSON *topic = cJSON_CreateObject();

	cJSON_AddItemToArray(topics, topic);
	cJSON_AddStringToObject(topic, "topic", state->name);
	add_number(topic, "sent", state->sent);
	add_number(topic, "acked", state->acked);
	add_number(topic, "in_flight", state->in_flight);
	add_number(topic, "stubs", state->stubs);
	add_number(topic, "lag", state->lag);
	add_number(topic, "lag_ms", (uint64_t)state->lag_ms);
	cJSON_AddStringToObject(topic, "log_name", state->log_name);
	add_number(topic, "next_sequence", state->next_sequence);
	add_number(topic, "next_topic_sequence", state->next_ordinal);
	cJSON_AddStringToObject(topic, "error", state->error);
}

void
streaming_add_state(struct streaming *streaming, cJSON *root)
{
	struct stream_state *state = streaming ? malloc(sizeof(*state)) : NULL;
	cJSON *kafka, *topics;

	if (!state)
		return;
	stream_state(streaming->stream, state);
	kafka = cJSON_AddObjectToObject(root, "kafka");
	cJSON_AddBoolToObject(kafka, "up", state->is_up);
	add_number(kafka, "brokers_up", state->brokers_up);
	cJSON_AddStringToObject(kafka, "error", state->error);
	add_number(kafka, "recreated", state->recreated);
	add_number(kafka, "rotated", state->rotated);
	add_number(kafka, "beats", state->beats);
	add_number(kafka, "lost", state->lost);
	add_number(kafka, "dead_letters", state->dead_letters);
	topics = cJSON_AddArrayToObject(kafka, "topics");
	for (int i = 0; i < STREAM_TOPICS; i++)
		add_topic(topics, &state->topics[i]);
	free(state);
}
