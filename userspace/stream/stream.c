/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.c - the loop's side: open, close, leave word, take word. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "stream/stream_private.h"

#define WINDOW     4096
#define STALL_MS   60000
#define RETRY_MS   1000
#define CLOSE_MS   3000
#define WATCH_MS   5000
#define DEAD_BYTES ((uint64_t)16 << 20)

static void
free_stream(struct stream *stream)
{
	client_close(stream->client);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		lane_close(stream->lanes[i]);
	cursors_close(&stream->cursors);
	for (char **each = stream->properties; each && *each; each++) {
		explicit_bzero(*each, strlen(*each));
		free(*each);
	}
	free(stream->properties);
	if (stream->wake_fd >= 0)
		close(stream->wake_fd);
	free((char *)(uintptr_t)stream->options.journal);
	free((char *)(uintptr_t)stream->options.cluster);
	free((char *)(uintptr_t)stream->options.node);
	free((char *)(uintptr_t)stream->options.version);
	free((char *)(uintptr_t)stream->options.boot_id);
	free((char *)(uintptr_t)stream->options.brokers);
	free((char *)(uintptr_t)stream->options.topic_prefix);
	free((char *)(uintptr_t)stream->options.properties_file);
	buf_fini(&stream->beat);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}

static void
stream_fini(struct stream **stream)
{
	if (*stream)
		free_stream(*stream);
}

static bool
copy_text(const char **text)
{
	if (*text)
		*text = strdup(*text);
	return *text;
}

static int
copy_properties(struct stream *stream, const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	stream->properties = calloc(count + 1, sizeof(*stream->properties));
	for (size_t i = 0; stream->properties && i < count; i++)
		if (!(stream->properties[i] = strdup(list[i])))
			return -ENOMEM;
	stream->options.properties = (const char *const *)stream->properties;
	return stream->properties ? 0 : -ENOMEM;
}

/* Ours to keep: the configuration may be read anew. */
static int
copy_options(struct stream *stream, const struct stream_options *options)
{
	struct stream_options *own = &stream->options;
	bool is_whole;

	*own = *options;
	is_whole = copy_text(&own->journal);
	is_whole &= copy_text(&own->cluster);
	is_whole &= copy_text(&own->node);
	is_whole &= copy_text(&own->brokers);
	copy_text(&own->version);
	copy_text(&own->boot_id);
	copy_text(&own->topic_prefix);
	copy_text(&own->properties_file);
	own->window = own->window ? own->window : WINDOW;
	own->stall_ms = own->stall_ms ? own->stall_ms : STALL_MS;
	own->retry_ms = own->retry_ms ? own->retry_ms : RETRY_MS;
	own->close_ms = own->close_ms ? own->close_ms : CLOSE_MS;
	own->watch_ms = own->watch_ms ? own->watch_ms : WATCH_MS;
	own->dead_bytes = own->dead_bytes ? own->dead_bytes : DEAD_BYTES;
	message_source(stream->source, sizeof(stream->source), own->cluster ? own->cluster : "",
		       own->node ? own->node : "");
	snprintf(stream->key, sizeof(stream->key), "%.127s/%.255s",
		 own->cluster ? own->cluster : "", own->node ? own->node : "");
	return is_whole ? copy_properties(stream, options->properties) : -ENOMEM;
}

static int
make_paths(struct stream *stream, struct error *why)
{
	const char *folder = stream->options.directory;
	const size_t room = sizeof(stream->cursors_path);

	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return error_set(why, -errno, "cannot make %s: %s", folder, strerror(errno));
	if (snprintf(stream->cursors_path, room, "%s/cursors", folder) >= (int)room ||
	    snprintf(stream->dead_path, room, "%s/dead-letters.jsonl", folder) >= (int)room)
		return error_set(why, -ENAMETOOLONG, "the path of %s is too long", folder);
	return 0;
}

/* Without cursors everything is sent again: consumers know repeats by their ids. */
static void
load_cursors(struct stream *stream)
{
	int error = cursors_open(&stream->cursors, stream->cursors_path, stream->stored);
	char text[256];

	if (!error || error == -ENOENT)
		return;
	snprintf(text, sizeof(text),
		 "the stream's cursors are %s: it begins anew at the oldest shard",
		 error == -EBADMSG ? "damaged" : strerror(-error));
	stream_say(stream, text);
}

static int
open_lanes(struct stream *stream)
{
	const struct stream_options *own = &stream->options;
	struct lane_options options = {
		.journal = own->journal,
		.source = stream->source,
		.key = stream->key,
		.dead_letters = stream->dead_path,
		.dead_bytes = own->dead_bytes,
		.window = own->window,
		.stall_ns = own->stall_ms * UINT64_C(1000000),
		.retry_ns = own->retry_ms * UINT64_C(1000000),
		.ops = {.lost = stream_lose, .said = stream_say},
		.arg = stream,
	};
	int error = 0;

	for (int i = 0; i < STREAM_ENTRY_TOPICS && !error; i++) {
		options.topic = (enum stream_topic)i;
		error = lane_open(&stream->lanes[i], &options, &stream->stored[i]);
	}
	return error;
}

/* With every signal blocked, for librdkafka's threads too, which begin there. */
static int
start(struct stream *stream, struct error *why)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = client_open(&stream->client, &stream->options, &stream_client_ops, stream,
			    stream->wake_fd, why);
	if (!error) {
		error = -pthread_create(&stream->thread, NULL, stream_thread, stream);
		if (error)
			error_set(why, error, "cannot start a thread: %s", strerror(-error));
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	stream->is_running = !error;
	return error;
}

int
stream_open(struct stream **out, const struct stream_options *options, struct error *why)
{
	struct stream *stream cleanup(stream_fini) = calloc(1, sizeof(*stream));
	int error;

	if (!stream)
		return error_set(why, -ENOMEM, "out of memory");
	pthread_mutex_init(&stream->lock, NULL);
	stream->cursors.fd = -1;
	stream->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = stream->wake_fd < 0 ? -errno : copy_options(stream, options);
	if (error)
		return error_set(why, error, "cannot open the stream: %s", strerror(-error));
	error = make_paths(stream, why);
	if (error)
		return error;
	load_cursors(stream);
	error = open_lanes(stream);
	if (error)
		return error_set(why, error, "cannot open the stream: %s", strerror(-error));
	error = start(stream, why);
	if (error)
		return error;
	*out = take(stream);
	return 0;
}

static void
wake(struct stream *stream)
{
	uint64_t one = 1;
	ssize_t put = write(stream->wake_fd, &one, sizeof(one));

	(void)put; /* full is awake */
}

static void
stop(struct stream *stream, bool is_dropped)
{
	if (!stream)
		return;
	pthread_mutex_lock(&stream->lock);
	stream->is_stopping = true;
	stream->is_dropped = is_dropped;
	pthread_mutex_unlock(&stream->lock);
	wake(stream);
	if (stream->is_running)
		pthread_join(stream->thread, NULL);
	free_stream(stream);
}

void
stream_close(struct stream *stream)
{
	stop(stream, false);
}

void
stream_drop(struct stream *stream)
{
	stop(stream, true);
}

void
stream_allow(struct stream *stream, const char *log_name, uint64_t next_sequence)
{
	struct horizon *allowed = &stream->allowed;
	bool is_new;

	pthread_mutex_lock(&stream->lock);
	is_new = allowed->sequence != next_sequence || strcmp(allowed->log_name, log_name) != 0;
	if (is_new) {
		snprintf(allowed->log_name, sizeof(allowed->log_name), "%s", log_name);
		allowed->sequence = next_sequence;
	}
	pthread_mutex_unlock(&stream->lock);
	if (is_new)
		wake(stream);
}

void
stream_beat(struct stream *stream, const char *json, size_t length)
{
	pthread_mutex_lock(&stream->lock);
	buf_clear(&stream->beat);
	buf_add(&stream->beat, json, length);
	stream->has_beat = true;
	pthread_mutex_unlock(&stream->lock);
	wake(stream);
}

bool
stream_news(struct stream *stream, struct stream_news *out)
{
	bool is_there;

	pthread_mutex_lock(&stream->lock);
	is_there = stream->news_count > 0;
	if (is_there) {
		*out = stream->news[0];
		memmove(stream->news, stream->news + 1,
			--stream->news_count * sizeof(stream->news[0]));
	}
	pthread_mutex_unlock(&stream->lock);
	return is_there;
}

void
stream_state(struct stream *stream, struct stream_state *out)
{
	pthread_mutex_lock(&stream->lock);
	*out = stream->shown;
	pthread_mutex_unlock(&stream->lock);
}
