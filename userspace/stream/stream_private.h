/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream_private.h - the thread's side (pump.c) and the loop's side (stream.c) of one stream. */
#ifndef STREAM_PRIVATE_H
#define STREAM_PRIVATE_H

#include <pthread.h>

#include "base/buf.h"
#include "stream/lane.h"

#define STREAM_NEWS_MOST 64

struct stream {
	struct stream_options options; /* its strings are below */
	char **properties;
	char source[600];
	char key[400];
	char cursors_path[4096];
	char dead_path[4096];

	pthread_t thread;
	bool is_running;
	int wake_fd; /* an eventfd: librdkafka, and the loop when the thread may sleep */

	pthread_mutex_t lock; /* for what follows, up to the blank line */
	struct horizon allowed;
	struct buf beat;
	bool has_beat;
	bool is_stopping;
	bool is_dropped; /* as if killed: nothing is delivered or stored */
	struct stream_news news[STREAM_NEWS_MOST];
	size_t news_count;
	struct stream_state shown;
	struct client *client; /* changed under the lock, used by the thread */

	/* The thread's own. */
	struct horizon horizon;
	struct lane *lanes[STREAM_ENTRY_TOPICS];
	struct cursor_file cursors;
	struct cursor stored[STREAM_ENTRY_TOPICS];
	int store_error; /* of the last try */
	struct stream_state state;
	struct journal_lost told[8]; /* lanes lose the same, one after the other */
	char told_names[8][CURSOR_LOG_NAME];
	size_t told_at;
	uint64_t synced_ns;
	uint64_t watched_ns;
	uint64_t failed_open_ns;
	uint64_t draining_ns; /* since when a changed file waits for what is on its way; 0: none */
	uint64_t stop_ns;     /* when to end, however far we are; 0: go on */
};

/* The thread, until it is told to stop. */
void *stream_thread(void *stream);
/* One round. True: there is more to do right now. */
bool stream_pump(struct stream *stream);
void stream_tell(struct stream *stream, const struct stream_news *news);
/* Where there is room: for lanes, and for opening. */
void stream_say(void *stream, const char *text);
void stream_lose(void *stream, const struct journal_lost *lost);

extern const struct client_ops stream_client_ops;

/* For tests: end as a kill would. */
void stream_drop(struct stream *stream);

#endif /* STREAM_PRIVATE_H */
