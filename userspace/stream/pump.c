/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pump.c - the thread's side: lanes in turn, reports, cursors, handles made anew.
 *
 * A thread of its own, because reading the journal, resolving names and ending a handle
 * may each stall for seconds: the loop must not wait for that, nor must what it stores.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "stream/beat.h"
#include "stream/stream_private.h"

#define MS        UINT64_C(1000000)
#define SYNC_NS   (1000 * MS) /* of cursors */
#define DRAIN_NS  (5000 * MS) /* before a handle is replaced whose files changed */
#define REOPEN_NS (1000 * MS)
#define SLEEP_MS  250

/*
 * News
 * ----
 */

/* What is lost is never left out: the last word on it takes more in. */
static bool
merge(struct stream *stream, const struct stream_news *news)
{
	for (size_t i = stream->news_count; news->kind == STREAM_NEWS_LOST && i-- > 0;) {
		struct stream_news *old = &stream->news[i];

		if (old->kind != STREAM_NEWS_LOST)
			continue;
		old->count = old->count && news->count ? old->count + news->count : 0;
		return true;
	}
	return false;
}

void
stream_tell(struct stream *stream, const struct stream_news *news)
{
	pthread_mutex_lock(&stream->lock);
	if (stream->news_count < STREAM_NEWS_MOST)
		stream->news[stream->news_count++] = *news;
	else if (!merge(stream, news) && news->kind == STREAM_NEWS_LOST)
		stream->news[STREAM_NEWS_MOST - 1] = *news;
	pthread_mutex_unlock(&stream->lock);
}

void
stream_say(void *arg, const char *text)
{
	struct stream_news news = {.kind = STREAM_NEWS_SAID};

	log_warn("kafka", "%s", text);
	snprintf(news.text, sizeof(news.text), "%s", text);
	stream_tell(arg, &news);
}

static bool
is_told(struct stream *stream, const struct journal_lost *lost)
{
	size_t slot;

	for (size_t i = 0; i < 8; i++)
		if (stream->told[i].log_name && stream->told[i].first == lost->first &&
		    stream->told[i].next == lost->next &&
		    strcmp(stream->told_names[i], lost->log_name) == 0)
			return true;
	slot = stream->told_at++ % 8;
	stream->told[slot] = *lost;
	snprintf(stream->told_names[slot], CURSOR_LOG_NAME, "%s", lost->log_name);
	stream->told[slot].log_name = stream->told_names[slot];
	return false;
}

void
stream_lose(void *arg, const struct journal_lost *lost)
{
	struct stream *stream = arg;
	struct stream_news news = {.kind = STREAM_NEWS_LOST};

	if (is_told(stream, lost))
		return;
	if (lost->next == UINT64_MAX) {
		snprintf(news.text, sizeof(news.text),
			 "entries of %.120s from %" PRIu64 " on are gone before they were streamed",
			 lost->log_name, lost->first);
	} else {
		news.count = lost->next - lost->first;
		snprintf(news.text, sizeof(news.text),
			 "entries %" PRIu64 " to %" PRIu64 " of %.120s cannot be streamed: damaged",
			 lost->first, lost->next - 1, lost->log_name);
	}
	stream->state.lost += news.count;
	stream_tell(stream, &news);
}

/* "host:port" of a broker, resolved here, where waiting hurts nobody but the stream. */
static void
on_connected(void *arg, const char *name)
{
	struct stream_news news = {.kind = STREAM_NEWS_BROKER};
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(name, ':');
	struct addrinfo *found = NULL;
	char host[128];

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - name) : 127, name);
	if (host[0] == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	if (getaddrinfo(host, NULL, &hints, &found) == 0) {
		getnameinfo(found->ai_addr, found->ai_addrlen, news.address, sizeof(news.address),
			    NULL, 0, NI_NUMERICHOST);
		freeaddrinfo(found);
	}
	snprintf(news.text, sizeof(news.text), "%.120s", name);
	log_info("kafka", "connected to broker %s", name);
	stream_tell(arg, &news);
}

static void
on_report(void *arg, struct ticket ticket, rd_kafka_resp_err_t error)
{
	struct stream *stream = arg;

	if (ticket.topic < STREAM_ENTRY_TOPICS)
		lane_report(stream->lanes[ticket.topic], ticket, error);
	else if (error)
		stream->state.topics[STREAM_HEALTH].failed++;
	else
		stream->state.topics[STREAM_HEALTH].acked++;
}

const struct client_ops stream_client_ops = {.report = on_report, .connected = on_connected};

/*
 * Handles
 * -------
 */

static void
replace_client(struct stream *stream, struct client *fresh)
{
	struct client *old = stream->client;

	pthread_mutex_lock(&stream->lock);
	stream->client = fresh;
	pthread_mutex_unlock(&stream->lock);
	client_close(old);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		lane_rewind(stream->lanes[i]);
	stream->draining_ns = 0;
	stream->state.recreated++;
}

/* While its files are wrong the old handle stays. */
static bool
recreate(struct stream *stream, uint64_t now_ns)
{
	struct client *fresh;
	struct error why = {0};
	char text[640];

	if (stream->failed_open_ns && now_ns - stream->failed_open_ns < REOPEN_NS)
		return false;
	if (client_open(&fresh, &stream->options, &stream_client_ops, stream, stream->wake_fd,
			&why) < 0) {
		if (!stream->failed_open_ns)
			log_error("kafka", "cannot begin anew: %s",
				  error_format(&why, text, sizeof(text)));
		stream->failed_open_ns = now_ns;
		return false;
	}
	stream->failed_open_ns = 0;
	replace_client(stream, fresh);
	return true;
}

static bool
is_idle(const struct stream *stream)
{
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		if (!lane_is_idle(stream->lanes[i]))
			return false;
	return true;
}

/* A certificate, a key or a password changed: what is on its way may arrive first. */
static void
rotate(struct stream *stream, uint64_t now_ns)
{
	if (!stream->draining_ns && now_ns - stream->watched_ns > stream->options.watch_ms * MS) {
		stream->watched_ns = now_ns;
		if (client_is_outdated(stream->client))
			stream->draining_ns = now_ns;
	}
	if (!stream->draining_ns || (!is_idle(stream) && now_ns - stream->draining_ns < DRAIN_NS))
		return;
	stream->draining_ns = stream->failed_open_ns = 0;
	if (!recreate(stream, now_ns))
		return; /* half written, perhaps: it will change again */
	stream->state.rotated++;
	log_info("kafka", "properties, certificates or passwords changed: a new handle");
}

static void
tend_client(struct stream *stream, uint64_t now_ns)
{
	struct client_state client;

	client_state(stream->client, &client);
	if (!client.is_fatal) {
		rotate(stream, now_ns);
		return;
	}
	if (recreate(stream, now_ns))
		log_warn("kafka", "fatal: %s; a new handle goes on from the cursors", client.error);
}

/*
 * Rounds
 * ------
 */

/* Once for each trouble, and for its end. */
static void
note_store(struct stream *stream, int error)
{
	if (error && error != stream->store_error)
		log_warn("kafka", "cannot store %s: %s", stream->cursors_path, strerror(-error));
	else if (!error && stream->store_error)
		log_info("kafka", "%s can be stored again", stream->cursors_path);
	stream->store_error = error;
}

/* As soon as it moves: what a kill makes come again is what is on its way, and no more. */
static void
store_cursors(struct stream *stream)
{
	struct cursor now[STREAM_ENTRY_TOPICS];
	int error;

	memset(now, 0, sizeof(now));
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++) {
		const struct cursor *cursor = lane_cursor(stream->lanes[i]);

		snprintf(now[i].log_name, sizeof(now[i].log_name), "%s", cursor->log_name);
		now[i].sequence = cursor->sequence;
		now[i].ordinal = cursor->ordinal;
	}
	if (memcmp(now, stream->stored, sizeof(now)) == 0)
		return;
	error = cursors_write(&stream->cursors, now);
	note_store(stream, error);
	if (error)
		return;
	memcpy(stream->stored, now, sizeof(now));
	stream->state.cursor_stores++;
}

static void
sync_cursors(struct stream *stream)
{
	int error = cursors_sync(&stream->cursors);

	if (error)
		note_store(stream, error);
}

static rd_kafka_headers_t *
beat_headers(const struct stream *stream, const struct beat *beat)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
	char id[128], time[CLOCK_TEXT];

	snprintf(id, sizeof(id), "%.40s-%" PRIu64 "-%" PRId64,
		 stream->options.boot_id ? stream->options.boot_id : "", beat->number,
		 beat->time_ms);
	rd_kafka_header_add(headers, "content-type", -1, "application/json", -1);
	rd_kafka_header_add(headers, "ce_specversion", -1, "1.0", -1);
	rd_kafka_header_add(headers, "ce_id", -1, id, -1);
	rd_kafka_header_add(headers, "ce_source", -1, stream->source, -1);
	rd_kafka_header_add(headers, "ce_type", -1, "io.demarc.health.v1", -1);
	rd_kafka_header_add(headers, "ce_time", -1, clock_format(beat->time_ms, time), -1);
	return headers;
}

static void
send_beat(struct stream *stream, const struct buf *agent)
{
	struct buf json cleanup(buf_fini) = {0};
	struct beat beat = {
		.who = &stream->options,
		.state = &stream->state,
		.log_name = stream->horizon.log_name,
		.next_sequence = stream->horizon.sequence,
		.number = stream->state.beats,
		.time_ms = clock_wall_ms(),
		.agent = agent->data,
		.length = agent->length,
	};
	struct outgoing outgoing = {
		.ticket = {.topic = STREAM_HEALTH},
		.key = stream->key,
		.key_length = strlen(stream->key),
	};

	beat_write(&json, &beat);
	if (json.failed)
		return;
	outgoing.value = json.data;
	outgoing.length = json.length;
	outgoing.headers = beat_headers(stream, &beat);
	stream->state.beats++;
	if (client_send(stream->client, &outgoing))
		stream->state.topics[STREAM_HEALTH].failed++;
	else
		stream->state.topics[STREAM_HEALTH].sent++;
}

/* Take what the loop left. */
static void
take_word(struct stream *stream, uint64_t now_ns)
{
	struct buf agent cleanup(buf_fini) = {0};
	bool has_beat;

	pthread_mutex_lock(&stream->lock);
	stream->horizon = stream->allowed;
	has_beat = stream->has_beat;
	if (has_beat) {
		agent = stream->beat;
		stream->beat = (struct buf){0};
		stream->has_beat = false;
	}
	if (stream->is_stopping && !stream->stop_ns)
		stream->stop_ns = now_ns + stream->options.close_ms * MS;
	pthread_mutex_unlock(&stream->lock);
	if (has_beat)
		send_beat(stream, &agent);
}

static void
show_state(struct stream *stream)
{
	struct stream_state *state = &stream->state;
	struct client_state client;
	int64_t now_ms = clock_wall_ms();

	client_state(stream->client, &client);
	state->brokers_up = client.brokers_up;
	state->is_up = client.brokers_up > 0;
	snprintf(state->error, sizeof(state->error), "%s", client.error);
	state->dead_letters = 0;
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++) {
		lane_state(stream->lanes[i], &stream->horizon, now_ms, &state->topics[i]);
		state->dead_letters += state->topics[i].stubs;
	}
	snprintf(state->topics[STREAM_HEALTH].name, sizeof(state->topics[0].name), "%s",
		 client_topic(stream->client, STREAM_HEALTH));
	pthread_mutex_lock(&stream->lock);
	stream->shown = *state;
	pthread_mutex_unlock(&stream->lock);
}

bool
stream_pump(struct stream *stream)
{
	uint64_t now_ns = clock_boot_ns();
	bool has_more = false;

	take_word(stream, now_ns);
	client_poll(stream->client);
	store_cursors(stream);
	tend_client(stream, now_ns);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++) {
		lane_settle(stream->lanes[i], stream->client, now_ns);
		if (!stream->draining_ns)
			has_more |= lane_pump(stream->lanes[i], stream->client, &stream->horizon,
					      now_ns);
	}
	if (now_ns - stream->synced_ns > SYNC_NS) {
		stream->synced_ns = now_ns;
		sync_cursors(stream);
	}
	show_state(stream);
	return has_more;
}

static bool
is_finished(struct stream *stream)
{
	bool is_done = true;

	if (!stream->stop_ns)
		return false;
	if (stream->is_dropped || clock_boot_ns() > stream->stop_ns)
		return true;
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		is_done &= lane_is_done(stream->lanes[i], &stream->horizon);
	return is_done || (!stream->state.is_up && stream->state.error[0]);
}

static void
rest(struct stream *stream, int timeout_ms)
{
	struct pollfd wake = {.fd = stream->wake_fd, .events = POLLIN};
	uint64_t count;
	ssize_t got;

	poll(&wake, 1, timeout_ms);
	got = read(stream->wake_fd, &count, sizeof(count));
	(void)got; /* empty: the time was up */
}

void *
stream_thread(void *arg)
{
	struct stream *stream = arg;

	while (!is_finished(stream))
		if (!stream_pump(stream) && !is_finished(stream))
			rest(stream, SLEEP_MS);
	if (stream->is_dropped)
		return NULL;
	store_cursors(stream);
	sync_cursors(stream);
	return NULL;
}
