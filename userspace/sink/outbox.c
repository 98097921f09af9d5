/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* outbox.c - lines that wait: first for the disk to have their entry, then for a reader. */
#include "outbox.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_BYTES ((size_t)16 * 1024 * 1024)
#define TURN_BYTES  ((size_t)1024 * 1024) /* written in one turn of the loop, at most */
#define SPARE_BYTES ((size_t)256 * 1024)  /* room that an empty buffer keeps */

struct mark {
	uint64_t ticket;
	size_t length;
};

void
outbox_init(struct outbox *outbox, int fd, size_t limit)
{
	struct sigaction action;

	*outbox = (struct outbox){.fd = fd, .limit = limit ? limit : LIMIT_BYTES};
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN); /* a reader that goes is an error, not the end */
}

void
outbox_fini(struct outbox *outbox)
{
	buf_fini(&outbox->staged);
	buf_fini(&outbox->marks);
	buf_fini(&outbox->ready);
}

int
outbox_put(struct outbox *outbox, uint64_t ticket, const char *line, size_t length)
{
	struct mark mark = {.ticket = ticket, .length = length};
	size_t before = outbox->staged.length;

	buf_add(&outbox->staged, line, length);
	if (!outbox->staged.failed)
		buf_add(&outbox->marks, &mark, sizeof(mark));
	if (outbox->staged.failed || outbox->marks.failed) {
		outbox->staged.failed = outbox->marks.failed = false;
		outbox->staged.length = before;
		outbox->dropped++;
		return -ENOMEM;
	}
	return 0;
}

/* Forget the first *at bytes when nothing is left, or when they are most of it. */
static void
compact(struct buf *buf, size_t *at)
{
	if (*at == 0 || (*at < buf->length && *at < buf->length / 2))
		return;
	memmove(buf->data, buf->data + *at, buf->length - *at);
	buf->length -= *at;
	*at = 0;
	if (buf->length == 0 && buf->room > SPARE_BYTES) {
		buf_fini(buf);
		*buf = (struct buf){0};
	}
}

static bool
has_room(const struct outbox *outbox, size_t length)
{
	return !outbox->error &&
	       (outbox->waits || outbox->ready.length - outbox->sent + length <= outbox->limit);
}

static void
release(struct outbox *outbox, uint64_t ticket)
{
	struct mark mark;

	while (outbox->mark_at < outbox->marks.length) {
		memcpy(&mark, outbox->marks.data + outbox->mark_at, sizeof(mark));
		if (mark.ticket > ticket)
			break;
		if (has_room(outbox, mark.length))
			buf_add(&outbox->ready, outbox->staged.data + outbox->staged_at,
				mark.length);
		else
			outbox->ready.failed = true;
		outbox->dropped += outbox->ready.failed;
		outbox->lines += !outbox->ready.failed;
		outbox->ready.failed = false;
		outbox->staged_at += mark.length;
		outbox->mark_at += sizeof(mark);
	}
	compact(&outbox->staged, &outbox->staged_at);
	compact(&outbox->marks, &outbox->mark_at);
}

/* The reader's room, as far as poll() tells: a pipe that is writable takes PIPE_BUF at once. */
static ssize_t
write_some(struct outbox *outbox, int wait_ms)
{
	struct pollfd poll_fd = {.fd = outbox->fd, .events = POLLOUT};
	size_t left = outbox->ready.length - outbox->sent;
	ssize_t put;

	if (poll(&poll_fd, 1, wait_ms) <= 0)
		return 0;
	put = write(outbox->fd, outbox->ready.data + outbox->sent,
		    left < PIPE_BUF ? left : PIPE_BUF);
	if (put >= 0)
		return put;
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	outbox->error = -errno;
	return 0;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
discard(struct outbox *outbox)
{
	const char *at = outbox->ready.data + outbox->sent, *end;

	for (end = outbox->ready.data + outbox->ready.length; at < end; outbox->dropped++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : end;
	}
	outbox->sent = outbox->ready.length;
}

int
outbox_commit(struct outbox *outbox, uint64_t ticket)
{
	size_t turn = 0;
	ssize_t put;

	release(outbox, ticket);
	while (outbox->sent < outbox->ready.length && (outbox->waits || turn < TURN_BYTES)) {
		put = write_some(outbox, outbox->waits ? -1 : 0);
		if (outbox->error || (put <= 0 && !outbox->waits))
			break;
		outbox->sent += (size_t)put;
		turn += (size_t)put;
	}
	if (outbox->error && outbox->ready.length)
		discard(outbox);
	compact(&outbox->ready, &outbox->sent);
	return outbox->error;
}

size_t
outbox_flush(struct outbox *outbox, int wait_ms)
{
	int64_t end = now_ms() + wait_ms, left = wait_ms;

	while (outbox->sent < outbox->ready.length && !outbox->error && left >= 0) {
		outbox->sent += (size_t)write_some(outbox, (int)left);
		left = end - now_ms();
	}
	left = (int64_t)(outbox->ready.length - outbox->sent);
	if (left)
		discard(outbox);
	return (size_t)left;
}
