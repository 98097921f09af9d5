/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* json.c - every entry's own bytes and a newline, for programs. Nothing is dropped in silence. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "outbox.h"
#include "sink.h"

#define CLOSE_WAIT_MS 2000

struct json {
	struct sink sink;
	struct outbox outbox;
	struct buf line;
	bool is_dropping; /* said so already */
	uint64_t said;    /* dropped, at the last word about it */
};

static struct json *
json_of(struct sink *sink)
{
	return (struct json *)(void *)sink;
}

static int
put(struct sink *sink, const struct delivery *delivery)
{
	struct json *json = json_of(sink);

	buf_clear(&json->line);
	buf_add(&json->line, delivery->json, delivery->length);
	buf_addc(&json->line, '\n');
	if (json->line.failed) {
		json->line.failed = false;
		json->outbox.dropped++;
		return -ENOMEM;
	}
	return outbox_put(&json->outbox, delivery->ticket, json->line.data, json->line.length);
}

static const char *
reason(const struct outbox *outbox)
{
	if (!outbox->error)
		return "its reader is too slow";
	return outbox->error == -EPIPE ? "its reader is gone" : strerror(-outbox->error);
}

/* Say when dropping begins, and how much it was when it ends. */
static void
tell(struct json *json)
{
	uint64_t dropped = json->outbox.dropped;

	if (dropped > json->said && !json->is_dropping) {
		json->is_dropping = true;
		log_warn("json", "entries are left out of the output (the journal has them): %s",
			 reason(&json->outbox));
	} else if (dropped == json->said && json->is_dropping) {
		json->is_dropping = false;
		log_warn("json", "%" PRIu64 " entries were left out so far", dropped);
	}
	json->said = dropped;
}

static int
commit(struct sink *sink, uint64_t ticket)
{
	struct json *json = json_of(sink);
	int error = outbox_commit(&json->outbox, ticket);

	if (!json->outbox.waits)
		tell(json);
	return error;
}

static void
json_close(struct sink *sink)
{
	struct json *json = json_of(sink);

	if (!json)
		return;
	outbox_flush(&json->outbox, CLOSE_WAIT_MS);
	if (json->outbox.dropped && !json->outbox.waits)
		log_error("json", "%" PRIu64 " entries were left out of the output: %s",
			  json->outbox.dropped, reason(&json->outbox));
	outbox_fini(&json->outbox);
	buf_fini(&json->line);
	free(json);
}

static const struct sink_ops ops = {
	.name = "json", .put = put, .commit = commit, .close = json_close};

int
json_open(struct sink **out, int fd, enum sink_pace pace)
{
	struct json *json = calloc(1, sizeof(*json));

	if (!json)
		return -ENOMEM;
	json->sink.ops = &ops;
	outbox_init(&json->outbox, fd, 0);
	json->outbox.waits = pace == SINK_WAITS;
	*out = &json->sink;
	return 0;
}
