/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* journal_helper.h - a journal in a folder of its own, filled and read back by the tests. */
#ifndef JOURNAL_HELPER_H
#define JOURNAL_HELPER_H

#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

#define DAY_MS    ((int64_t)86400 * 1000)
#define MONDAY_MS ((int64_t)1795392000000) /* 2026-11-23 */

static inline int
remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline void
remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline char *
make_folder(void)
{
	char *path = strdup("/tmp/demarc-journal-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static inline struct journal *
open_journal(const char *directory, const char *node)
{
	struct journal_options options = {.directory = directory, .node = node, .cluster = "c1"};
	struct journal *journal = NULL;
	struct error why = {0};

	if (journal_open(&journal, &options, &why) < 0)
		fail_msg("%s", why.text);
	return journal;
}

/* One entry that says its own number. Returns its ticket, 0 when it was refused. */
static inline uint64_t
put_entry(struct journal *journal, enum journal_class class, int64_t now_ms)
{
	struct event_stamp stamp = {0};

	if (journal_admit(journal, class, now_ms, &stamp) < 0)
		return 0;
	buf_addf(journal_bytes(journal), "{\"log\":\"%s\",\"sequence\":%" PRIu64 ",\"uid\":\"%s\"}",
		 stamp.log_name, stamp.sequence, stamp.uid);
	return journal_add(journal);
}

static inline void
put_entries(struct journal *journal, unsigned int count, int64_t now_ms)
{
	while (count--)
		assert_true(put_entry(journal, JOURNAL_BULK, now_ms) > 0);
	journal_commit(journal);
}

/* Until the ticket is on disk. */
static inline void
await_ticket(struct journal *journal, uint64_t ticket)
{
	struct pollfd poll_fd = {.fd = journal_fd(journal), .events = POLLIN};

	while (journal_acknowledged(journal) < ticket)
		assert_true(poll(&poll_fd, 1, 5000) > 0);
}

struct reading {
	uint64_t entries;
	uint64_t damaged;
	uint64_t bad_order; /* entries whose bytes do not hold their number */
	uint64_t next[8];   /* of each shard met, in order: sequence after its last entry */
	char shard[8][64];
	size_t shards;
	char damage[512]; /* the first */
};

static inline void
note_entry(struct reading *out, const struct journal_position *at, const char *bytes, size_t length)
{
	char text[512], number[64];

	if (!out->shards || strcmp(out->shard[out->shards - 1], at->log_name) != 0)
		snprintf(out->shard[out->shards++ % 8], 64, "%s", at->log_name);
	snprintf(text, sizeof(text), "%.*s", (int)length, bytes);
	snprintf(number, sizeof(number), "\"sequence\":%" PRIu64 ",", at->sequence);
	out->bad_order += !strstr(text, number) || at->sequence < out->next[out->shards - 1];
	out->next[out->shards - 1] = at->sequence + 1;
	out->entries++;
}

static inline void
read_more(struct journal_reader *reader, struct reading *out)
{
	struct journal_position at;
	struct error why = {0};
	const char *bytes;
	size_t length;
	int found;

	while ((found = journal_reader_next(reader, &bytes, &length, &why)) != 0) {
		if (found == 1) {
			journal_reader_position(reader, &at);
			note_entry(out, &at, bytes, length);
			continue;
		}
		assert_int_equal(found, -EBADMSG);
		if (!out->damaged++)
			error_format(&why, out->damage, sizeof(out->damage));
		assert_true(out->damaged < 1000);
	}
}

static inline struct reading
read_journal(const char *path)
{
	struct journal_reader *reader = NULL;
	struct reading out = {0};
	struct error why = {0};

	if (journal_reader_open(&reader, path, &why) < 0)
		fail_msg("%s", why.text);
	read_more(reader, &out);
	journal_reader_close(reader);
	return out;
}

/* Change what stands at offset, from the end when negative. */
static inline void
flip_byte(const char *path, long offset)
{
	FILE *file = fopen(path, "r+");
	int byte;

	assert_non_null(file);
	fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET);
	byte = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(byte ^ 0x20, file);
	fclose(file);
}

static inline off_t
file_size(const char *path)
{
	struct stat status;

	return stat(path, &status) < 0 ? -1 : status.st_size;
}

#endif /* JOURNAL_HELPER_H */
