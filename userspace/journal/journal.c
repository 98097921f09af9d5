/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal.c - admission: who gets in, under which number, in which batch. The loop's side. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "recover.h"
#include "segment.h"
#include "shard.h"
#include "store.h"

#define STAGING_BYTES ((size_t)64 * 1024 * 1024)
#define SEGMENT_BYTES ((size_t)64 * 1024 * 1024)
#define SYNC_MS       50
#define CLOSE_MS      10000
#define STANDALONE    "standalone"
#define PATH_BYTES    4096
#define UID_BYTES     16
#define UID_TEXT      (2 * UID_BYTES + 1)

struct journal {
	struct store *store;
	int lock_fd;
	char cluster[SEGMENT_CLUSTER];
	char node[SEGMENT_NODE];
	char log_name[SEGMENT_LOG_NAME];
	char uid[UID_TEXT];

	bool has_shard;
	struct shard shard;
	uint64_t sequence; /* of the next entry */

	struct batch *open;
	size_t entry_at; /* where the entry being written begins in the open batch */
	bool is_admitted;
	struct frame_header head;

	size_t staging_bytes;
	uint64_t staged; /* bytes ever added; minus the store's released: waiting */
	uint64_t ticket;
	uint64_t admitted;
	uint64_t refused[2]; /* by class */
	uint64_t too_long;
	struct recovery recovery;

	unsigned char random[64 * UID_BYTES];
	size_t random_used;
};

/* Opening
 * -------
 */

static int
make_directories(const char *directory, struct error *why)
{
	char path[PATH_BYTES];
	char *slash;
	int error;

	if ((size_t)snprintf(path, sizeof(path), "%s", directory) >= sizeof(path) - 64)
		return error_set(why, -ENAMETOOLONG, "the journal's path is too long");
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	error = -errno;
	return error_set(why, error, "cannot make the journal's directory %s: %s", directory,
			 strerror(-error));
}

/* Whose lock it is: as its holder wrote it. */
static int
complain_busy(int fd, const char *directory, struct error *why)
{
	char pid[24] = "";
	ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[got > 0 ? got : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return error_set(why, -EBUSY, "the journal %s is in use by another process%s%s", directory,
			 pid[0] ? ", pid " : "", pid);
}

static int
lock_directory(int *out, const char *directory, struct error *why)
{
	char path[PATH_BYTES];
	int fd cleanup(fd_drop) = -1;
	int error;

	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		error = -errno;
		return error_set(why, error, "cannot open %s: %s", path, strerror(-error));
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return complain_busy(fd, directory, why);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		log_debug("journal", "cannot write the pid to %s", path);
	*out = fd;
	fd = -1;
	return 0;
}

/* Names stand in paths of log_name and in fixed fields of the segments. */
static int
take_name(char *out, size_t room, const char *name, const char *what, struct error *why)
{
	const unsigned char *byte;

	if (!name[0])
		return error_set(why, -EINVAL, "the %s has no name", what);
	if (strlen(name) >= room)
		return error_set(why, -EINVAL, "the name of the %s is longer than %zu bytes", what,
				 room - 1);
	for (byte = (const unsigned char *)name; *byte; byte++)
		if (*byte < 0x20 || *byte == 0x7f || *byte == '/')
			return error_set(why, -EINVAL,
					 "the name of the %s has a slash or a control character",
					 what);
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

static void
name_shard(struct journal *journal)
{
	char name[SHARD_TEXT];

	snprintf(journal->log_name, sizeof(journal->log_name), "%s/%s/%s", journal->cluster,
		 journal->node, shard_format(&journal->shard, name));
}

static int
recover(struct journal *journal, const char *directory, struct error *why)
{
	struct recovery *recovery = &journal->recovery;
	int error = journal_recover(recovery, directory, journal->cluster, journal->node, why);

	if (error)
		return error;
	if (!recovery->found)
		return 0;
	journal->has_shard = true;
	journal->shard = recovery->shard;
	journal->sequence = recovery->next_sequence;
	name_shard(journal);
	log_info("journal", "%s goes on at entry %" PRIu64, journal->log_name, journal->sequence);
	return 0;
}

static int
start_store(struct journal *journal, const struct journal_options *options, struct error *why)
{
	struct store_options settings = {
		.directory = options->directory,
		.cluster = journal->cluster,
		.node = journal->node,
		.segment_bytes = options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES,
		.sync_ms = options->sync_ms ? options->sync_ms : SYNC_MS,
		.close_ms = options->close_ms ? options->close_ms : CLOSE_MS,
		.quota_bytes = options->quota_bytes,
	};

	return store_open(&journal->store, &settings, &journal->recovery, why);
}

static void
free_journal(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->lock_fd >= 0)
		close(journal->lock_fd);
	free(journal);
}

DEFINE_DROP(struct journal *, journal, free_journal)

int
journal_open(struct journal **out, const struct journal_options *options, struct error *why)
{
	struct journal *journal cleanup(journal_drop) = calloc(1, sizeof(*journal));
	int error;

	if (!journal)
		return error_set(why, -ENOMEM, "out of memory");
	journal->lock_fd = -1;
	journal->random_used = sizeof(journal->random);
	journal->staging_bytes = options->staging_bytes ? options->staging_bytes : STAGING_BYTES;
	error = take_name(journal->cluster, sizeof(journal->cluster),
			  options->cluster ? options->cluster : STANDALONE, "cluster", why);
	if (!error)
		error = take_name(journal->node, sizeof(journal->node), options->node, "node", why);
	if (!error)
		error = make_directories(options->directory, why);
	if (!error)
		error = lock_directory(&journal->lock_fd, options->directory, why);
	if (!error)
		error = recover(journal, options->directory, why);
	if (!error)
		error = start_store(journal, options, why);
	if (!error)
		*out = take(journal);
	return error;
}

uint64_t
journal_close(struct journal *journal)
{
	struct journal_state state;

	if (!journal)
		return 0;
	journal_commit(journal);
	if (!store_close(journal->store, &state)) {
		log_error("journal",
			  "the disk does not answer; not known to be stored: %" PRIu64 " entries",
			  journal->ticket - state.acknowledged);
		journal->lock_fd = -1; /* the thread may write yet: the lock stays to the end */
	} else if (state.acknowledged < journal->ticket) {
		log_error("journal", "not stored: %" PRIu64 " entries: %s",
			  journal->ticket - state.acknowledged, strerror(state.failing));
	}
	free_journal(journal);
	return state.acknowledged;
}

/* Admission
 * ---------
 */

static int
make_uid(struct journal *journal)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes;
	ssize_t got;
	size_t i;

	if (journal->random_used == sizeof(journal->random)) {
		do
			got = getrandom(journal->random, sizeof(journal->random), 0);
		while (got < 0 && errno == EINTR);
		if (got != (ssize_t)sizeof(journal->random))
			return -EIO;
		journal->random_used = 0;
	}
	bytes = journal->random + journal->random_used;
	for (i = 0; i < UID_BYTES; i++) {
		journal->uid[2 * i] = digits[bytes[i] >> 4];
		journal->uid[2 * i + 1] = digits[bytes[i] & 15];
	}
	journal->random_used += UID_BYTES;
	return 0;
}

/* Forward only: a clock that steps back stays in the shard that is open. */
static void
roll(struct journal *journal, int64_t now_ms)
{
	struct shard today = shard_of(now_ms);

	if (journal->has_shard && today.day <= journal->shard.day)
		return;
	journal_commit(journal);
	journal->has_shard = true;
	journal->shard = today;
	journal->sequence = 0;
	name_shard(journal);
}

static bool
has_room(const struct journal *journal, enum journal_class class)
{
	uint64_t waiting = journal->staged - store_released(journal->store);
	size_t limit = journal->staging_bytes;

	return waiting < (class == JOURNAL_BULK ? limit / 4 * 3 : limit);
}

/* The open batch, with room for the frame's header. */
static bool
begin_frame(struct journal *journal)
{
	struct batch *batch = journal->open;

	if (!batch) {
		if (!(batch = store_batch(journal->store)))
			return false;
		batch->shard = journal->shard;
		batch->first_sequence = journal->sequence;
		journal->open = batch;
	}
	journal->entry_at = batch->bytes.length;
	if (!buf_reserve(&batch->bytes, frame_size(1024))) {
		batch->bytes.failed = false;
		return false;
	}
	batch->bytes.length += sizeof(struct frame_header);
	return true;
}

/* Take back the frame begun. */
static void
drop_frame(struct journal *journal)
{
	journal->open->bytes.length = journal->entry_at;
	journal->open->bytes.failed = false;
	journal->is_admitted = false;
}

int
journal_admit(struct journal *journal, enum journal_class class, int64_t now_ms,
	      struct event_stamp *stamp)
{
	if (journal->is_admitted)
		drop_frame(journal);
	if (!has_room(journal, class)) {
		journal->refused[class]++;
		return -EAGAIN;
	}
	roll(journal, now_ms);
	if (make_uid(journal) < 0 || !begin_frame(journal)) {
		journal->refused[class]++;
		return -EAGAIN;
	}
	journal->is_admitted = true;
	journal->head = (struct frame_header){
		.sequence = journal->sequence, .logged_ms = now_ms, .class = class};
	stamp->uid = journal->uid;
	stamp->sequence = journal->sequence;
	stamp->log_name = journal->log_name;
	stamp->logged_ms = now_ms;
	return 0;
}

struct buf *
journal_bytes(struct journal *journal)
{
	return &journal->open->bytes;
}

static bool
pad_frame(struct journal *journal, size_t length)
{
	static const char zeroes[8];
	struct buf *bytes = &journal->open->bytes;

	buf_add(bytes, zeroes, frame_size((uint32_t)length) - sizeof(journal->head) - length);
	return !bytes->failed;
}

uint64_t
journal_add(struct journal *journal)
{
	struct batch *batch = journal->open;
	enum journal_class class = journal->head.class;
	size_t length;

	if (!journal->is_admitted)
		return 0;
	length = batch->bytes.length - journal->entry_at - sizeof(journal->head);
	if (batch->bytes.failed || length == 0 || length > JOURNAL_ENTRY_BYTES ||
	    !pad_frame(journal, length)) {
		journal->too_long += length > JOURNAL_ENTRY_BYTES;
		journal->refused[class]++;
		drop_frame(journal);
		return 0;
	}
	journal->head.length = (uint32_t)length;
	memcpy(batch->bytes.data + journal->entry_at, &journal->head, sizeof(journal->head));
	batch->count++;
	batch->last_ticket = ++journal->ticket;
	batch->critical |= class == JOURNAL_CRITICAL;
	journal->staged += frame_size((uint32_t)length);
	journal->sequence++;
	journal->admitted++;
	journal->is_admitted = false;
	return journal->ticket;
}

void
journal_commit(struct journal *journal)
{
	if (journal->is_admitted)
		drop_frame(journal);
	if (!journal->open || !journal->open->count)
		return;
	store_hand_over(journal->store, take(journal->open));
}

int
journal_fd(const struct journal *journal)
{
	return store_fd(journal->store);
}

uint64_t
journal_acknowledged(struct journal *journal)
{
	return store_acknowledged(journal->store);
}

void
journal_state(const struct journal *journal, struct journal_state *out)
{
	*out = (struct journal_state){
		.admitted = journal->admitted,
		.refused_bulk = journal->refused[JOURNAL_BULK],
		.refused_critical = journal->refused[JOURNAL_CRITICAL],
		.staged_bytes = journal->staged - store_released(journal->store),
		.recovered_entries = journal->recovery.entries,
		.last_logged_ms = journal->recovery.last_logged_ms,
		.cut_bytes = journal->recovery.cut_bytes,
		.damaged = journal->recovery.damaged,
		.too_long = journal->too_long,
		.shard = journal->log_name,
	};
	store_state(journal->store, out);
}
