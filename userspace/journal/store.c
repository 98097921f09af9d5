/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * store.c - the storage thread, its queue and its answers.
 *
 * Batches move from `queue` (under the lock) to `held` (the thread's own), are
 * written, synced, acknowledged and only then forgotten. After any error the
 * segment is left, and all that is held is written again into a new one; the
 * wait between two tries doubles. Nothing admitted is given up before the end.
 */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "batch.h"
#include "writer.h"

#define SPARES_MAX     4
#define CRITICAL_MS    10 /* between syncs for critical entries: a flood of them shares some */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define NS_PER_MS      1000000ull

/* Written by the storage thread, read by the loop. */
struct answers {
	atomic_uint_fast64_t acknowledged;
	atomic_uint_fast64_t released;
	atomic_uint_fast64_t written;
	atomic_uint_fast64_t syncs;
	atomic_uint_fast64_t slowest_sync_ns;
	atomic_uint_fast64_t sync_errors;
	atomic_uint_fast64_t write_errors;
	atomic_uint_fast64_t disk_bytes;
	atomic_uint_fast64_t shard_bytes;
	atomic_uint_fast64_t expired;
	atomic_uint_fast64_t packed;
	atomic_int failing;
};

struct store {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue queue; /* under the lock, like the next three */
	struct batch *spares;
	unsigned int spare_count;
	uint64_t stop_ns; /* 0: run; else give up at this time */

	int event_fd;
	unsigned int sync_ms;
	unsigned int close_ms;
	struct answers answers;

	/* the thread's own */
	struct writer *writer;
	struct queue held;
	struct batch *unwritten; /* first of held that is not in the current segment */
	uint64_t oldest_ns;      /* when held began to wait for its sync */
	uint64_t synced_ns;      /* when the last one ended */
	uint64_t retry_ns;
	unsigned int backoff_ms;
	bool stopping;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct timespec
timespec_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
}

/* Under the lock. Keeps a few for the loop, so that it seldom allocates. */
static void
recycle(struct store *store, struct batch *batch)
{
	if (store->spare_count >= SPARES_MAX || batch->bytes.room > 4 * BATCH_MERGE_BYTES) {
		batch_free(batch);
		return;
	}
	buf_clear(&batch->bytes);
	batch->next = store->spares;
	store->spares = batch;
	store->spare_count++;
}

/* The loop's side
 * ---------------
 */

struct batch *
store_batch(struct store *store)
{
	struct batch *batch;

	pthread_mutex_lock(&store->lock);
	batch = store->spares;
	if (batch) {
		store->spares = batch->next;
		store->spare_count--;
	}
	pthread_mutex_unlock(&store->lock);
	if (!batch)
		return calloc(1, sizeof(*batch));
	*batch = (struct batch){.bytes = batch->bytes};
	return batch;
}

void
store_hand_over(struct store *store, struct batch *batch)
{
	pthread_mutex_lock(&store->lock);
	if (batch_merge(store->queue.tail, batch))
		recycle(store, batch);
	else
		queue_put(&store->queue, batch);
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
}

int
store_fd(const struct store *store)
{
	return store->event_fd;
}

uint64_t
store_acknowledged(struct store *store)
{
	uint64_t ignored;
	ssize_t got = read(store->event_fd, &ignored, sizeof(ignored));

	(void)got; /* nothing new is no error */
	return atomic_load_explicit(&store->answers.acknowledged, memory_order_acquire);
}

uint64_t
store_released(const struct store *store)
{
	return atomic_load_explicit(&store->answers.released, memory_order_relaxed);
}

uint64_t
store_shard_bytes(const struct store *store, uint64_t first)
{
	if (atomic_load(&store->answers.acknowledged) < first)
		return 0;
	return atomic_load(&store->answers.shard_bytes);
}

void
store_state(const struct store *store, struct journal_state *out)
{
	const struct answers *answers = &store->answers;

	out->acknowledged = atomic_load(&answers->acknowledged);
	out->written_bytes = atomic_load(&answers->written);
	out->syncs = atomic_load(&answers->syncs);
	out->slowest_sync_ns = atomic_load(&answers->slowest_sync_ns);
	out->sync_errors = atomic_load(&answers->sync_errors);
	out->write_errors = atomic_load(&answers->write_errors);
	out->failing = atomic_load(&answers->failing);
	out->disk_bytes = atomic_load(&answers->disk_bytes);
	out->compressed = atomic_load(&answers->packed);
	out->expired_shards = atomic_load(&answers->expired);
}

/* The thread's side
 * -----------------
 */

static void
publish(struct store *store)
{
	atomic_store(&store->answers.disk_bytes, writer_disk_bytes(store->writer));
	atomic_store(&store->answers.shard_bytes, writer_shard_bytes(store->writer));
	atomic_store(&store->answers.packed, writer_packed(store->writer));
	atomic_store(&store->answers.expired, writer_expired(store->writer));
}

static void
acknowledge(struct store *store)
{
	struct answers *answers = &store->answers;
	uint64_t ticket = 0, bytes = 0, one = 1;
	struct batch *batch;
	ssize_t put;

	pthread_mutex_lock(&store->lock);
	while (store->held.head && store->held.head != store->unwritten) {
		batch = queue_pop(&store->held);
		ticket = batch->last_ticket;
		bytes += batch->bytes.length;
		recycle(store, batch);
	}
	pthread_mutex_unlock(&store->lock);
	if (!ticket)
		return;
	atomic_fetch_add(&answers->written, bytes);
	atomic_fetch_add_explicit(&answers->released, bytes, memory_order_relaxed);
	atomic_store_explicit(&answers->acknowledged, ticket, memory_order_release);
	put = write(store->event_fd, &one, sizeof(one));
	(void)put; /* a full counter wakes as well */
}

static int
sync_written(struct store *store)
{
	struct answers *answers = &store->answers;
	uint64_t began = now_ns(), took;
	int error;

	if (store->held.head == store->unwritten)
		return 0;
	error = writer_sync(store->writer);
	took = now_ns() - began;
	if (took > atomic_load(&answers->slowest_sync_ns))
		atomic_store(&answers->slowest_sync_ns, took);
	if (error) {
		atomic_fetch_add(&answers->sync_errors, 1);
		return error;
	}
	atomic_fetch_add(&answers->syncs, 1);
	publish(store); /* first: what is released is counted there */
	acknowledge(store);
	store->oldest_ns = store->synced_ns = now_ns();
	return 0;
}

static int
write_held(struct store *store)
{
	struct batch *batch;
	int error;

	while ((batch = store->unwritten)) {
		if (writer_needs_segment(store->writer, &batch->shard)) {
			if ((error = sync_written(store)))
				return error;
			error = writer_begin(store->writer, &batch->shard, batch->first_sequence,
					     clock_wall_ms());
		} else {
			error = 0;
		}
		if (!error)
			error = writer_append(store->writer, &batch->bytes);
		if (error) {
			atomic_fetch_add(&store->answers.write_errors, 1);
			return error;
		}
		store->unwritten = batch->next;
	}
	return 0;
}

static bool
holds_critical(const struct store *store)
{
	for (const struct batch *batch = store->held.head; batch; batch = batch->next)
		if (batch->critical)
			return true;
	return false;
}

/* A critical entry is synced at once, unless there was a sync just now. */
static uint64_t
sync_due(const struct store *store)
{
	uint64_t due = store->oldest_ns + store->sync_ms * NS_PER_MS;
	uint64_t soon = store->synced_ns + CRITICAL_MS * NS_PER_MS;

	return soon < due && holds_critical(store) ? soon : due;
}

static bool
is_sync_due(const struct store *store)
{
	return store->stopping || now_ns() >= sync_due(store);
}

static void
retry_later(struct store *store, int error)
{
	if (!atomic_load(&store->answers.failing))
		log_error("journal", "cannot store entries: %s; trying again until it works",
			  strerror(-error));
	atomic_store(&store->answers.failing, -error);
	writer_abandon(store->writer);
	store->unwritten = store->held.head;
	store->backoff_ms = store->backoff_ms ? store->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (store->backoff_ms > BACKOFF_MAX_MS)
		store->backoff_ms = BACKOFF_MAX_MS;
	store->retry_ns = now_ns() + store->backoff_ms * NS_PER_MS;
}

static void
work(struct store *store)
{
	int error = write_held(store);

	if (!error && is_sync_due(store))
		error = sync_written(store);
	if (error) {
		retry_later(store, error);
	} else if (store->backoff_ms && !store->held.head) {
		log_info("journal", "storage takes entries again");
		atomic_store(&store->answers.failing, 0);
		store->backoff_ms = 0;
	}
}

/* When there will be something to do, if nothing comes; 0: never. */
static uint64_t
next_due(const struct store *store)
{
	if (store->unwritten && store->stop_ns && store->stop_ns < store->retry_ns)
		return store->stop_ns;
	if (store->unwritten)
		return store->retry_ns;
	return store->held.head ? sync_due(store) : 0;
}

/* Under the lock: sleep until there is work. While the disk refuses, only time is. */
static void
wait(struct store *store)
{
	bool retrying = store->unwritten;
	struct timespec until;
	uint64_t due;

	while ((retrying || !store->queue.head) && (!store->stop_ns || retrying)) {
		due = next_due(store);
		if ((due && now_ns() >= due) || (!retrying && writer_can_pack(store->writer)))
			return;
		if (store->stop_ns && !store->stopping)
			return;
		until = timespec_of(due);
		if (due)
			pthread_cond_timedwait(&store->wake, &store->lock, &until);
		else
			pthread_cond_wait(&store->wake, &store->lock);
	}
}

/* Moves what was handed over into held. False at the end: all is safe, or the time is up. */
static bool
take_over(struct store *store)
{
	struct batch *batch;
	bool more;

	pthread_mutex_lock(&store->lock);
	wait(store);
	store->stopping = store->stop_ns != 0;
	if (store->queue.head) {
		if (!store->held.head)
			store->oldest_ns = now_ns();
		if (!store->unwritten)
			store->unwritten = store->queue.head;
		while ((batch = queue_pop(&store->queue)))
			queue_put(&store->held, batch);
	}
	more = !store->stopping || (store->held.head && now_ns() < store->stop_ns);
	pthread_mutex_unlock(&store->lock);
	return more;
}

static void *
run(void *arg)
{
	struct store *store = arg;

	while (take_over(store)) {
		work(store);
		if (!store->unwritten && !store->stopping && writer_can_pack(store->writer)) {
			writer_pack(store->writer);
			publish(store);
		}
	}
	return NULL;
}

static void
free_store(struct store *store)
{
	struct batch *batch;

	while ((batch = queue_pop(&store->queue)) || (batch = queue_pop(&store->held)))
		batch_free(batch);
	while ((batch = store->spares)) {
		store->spares = batch->next;
		batch_free(batch);
	}
	writer_free(store->writer);
	if (store->event_fd >= 0)
		close(store->event_fd);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* Signals are the loop's: the thread starts with all of them blocked. */
static int
start(struct store *store)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&store->thread, NULL, run, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!error)
		pthread_setname_np(store->thread, "demarc-store");
	return -error;
}

int
store_open(struct store **out, const struct store_options *options, const struct recovery *recovery,
	   struct error *why)
{
	struct store *store = calloc(1, sizeof(*store));
	pthread_condattr_t attributes;
	int error;

	if (!store)
		return error_set(why, -ENOMEM, "out of memory");
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&store->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	store->sync_ms = options->sync_ms;
	store->close_ms = options->close_ms;
	atomic_store(&store->answers.acknowledged, options->acknowledged);
	store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = store->event_fd < 0 ? -errno : writer_new(&store->writer, options, recovery);
	if (!error) {
		publish(store);
		error = start(store);
	}
	if (error) {
		free_store(store);
		return error_set(why, error, "cannot start the storage thread: %s",
				 strerror(-error));
	}
	*out = store;
	return 0;
}

bool
store_close(struct store *store, struct journal_state *last)
{
	uint64_t end = now_ns() + store->close_ms * NS_PER_MS;
	struct timespec until = timespec_of(end + 200 * NS_PER_MS);
	int error;

	pthread_mutex_lock(&store->lock);
	store->stop_ns = end;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	error = pthread_clockjoin_np(store->thread, NULL, CLOCK_MONOTONIC, &until);
	store_state(store, last);
	if (error) {
		pthread_detach(store->thread);
		return false;
	}
	free_store(store);
	return true;
}
