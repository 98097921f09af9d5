/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recover.c - where a journal goes on after its last process ended, however it ended.
 *
 * Only the newest segment can be torn: older ones were whole when they were left.
 * It is walked to its end, a torn tail is cut, damage in the middle is said and
 * stepped over. Segments without an entry are removed. Nothing is ever appended
 * to a file of an earlier process, so a number is never given twice.
 */
#include "recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "segment.h"

#define PATH_BYTES 4096

/* What a walk over one segment found. */
struct tail {
	uint64_t entries;
	uint64_t next_sequence; /* after the last good entry, or as the header says */
	uint64_t good_end;      /* file offset behind the last good entry */
	uint64_t damaged;
	int64_t last_logged_ms; /* of the last good entry */
};

/* Go on behind a bad place. 1: it is damage, 0: it is the torn tail of what nobody was told of. */
static int
step_over(struct scan *scan, uint64_t expected, const char *path)
{
	uint64_t bad = scan->at;
	int found = scan_skip(scan, expected);

	if (found == 1)
		log_error("journal", "%s: damaged from byte %" PRIu64 " to %" PRIu64, path, bad,
			  scan->at);
	return found;
}

static int
walk(struct scan *scan, struct tail *tail, const char *path)
{
	struct frame frame;
	int found;

	if (scan->header_error == -EBADMSG) {
		tail->damaged++;
		log_error("journal", "%s: its header is damaged", path);
	} else {
		tail->next_sequence = scan->header.first_sequence;
	}
	for (;;) {
		tail->good_end = scan->at;
		found = scan_next(scan, &frame);
		if (found == 1) {
			tail->entries++;
			tail->next_sequence = frame.head.sequence + 1;
			tail->last_logged_ms = frame.head.logged_ms;
			continue;
		}
		if (found < 0 && found != -EBADMSG)
			return found;
		if (scan_rest(scan) == 0)
			return 0;
		found = step_over(scan, tail->next_sequence, path);
		if (found < 0)
			return found;
		tail->damaged += found == 1 || scan->pack;
		if (found == 0)
			return 0;
	}
}

static int
cut(struct recovery *out, struct scan *scan, const struct tail *tail, const char *path)
{
	uint64_t rest;

	scan->at = tail->good_end;
	rest = scan->pack ? 0 : scan_rest(scan); /* one that is compressed was whole */
	if (rest == 0)
		return 0;
	if (ftruncate(scan->fd, (off_t)tail->good_end) < 0)
		return -errno;
	out->cut_bytes += rest;
	log_warn("journal",
		 "%s: cut a torn tail of %" PRIu64 " bytes behind entry %" PRId64
		 " at byte %" PRIu64,
		 path, rest, (int64_t)tail->next_sequence - 1, tail->good_end);
	return 0;
}

static bool
is_same_node(const struct segment_header *header, const char *cluster, const char *node)
{
	return strcmp(header->cluster, cluster) == 0 && strcmp(header->node, node) == 0;
}

/* A file cut short in its header, or with nothing behind it, holds nothing. */
static int
remove_empty(struct recovery *out, struct scan *scan, const char *path)
{
	if (scan->header_error == -ENODATA) {
		scan->at = 0;
		out->cut_bytes += scan_rest(scan);
		log_warn("journal", "%s: removed, it was cut short in its header", path);
	}
	return unlink(path) < 0 ? -errno : 0;
}

/* One segment, from the newest backwards. 1 when it has entries: no need to look further. */
static int
recover_segment(struct recovery *out, const char *path, bool *same, const char *cluster,
		const char *node)
{
	struct scan scan cleanup(scan_fini) = {.fd = -1};
	struct tail tail = {0};
	int error = scan_open(&scan, open(path, O_RDWR | O_CLOEXEC));

	if (error)
		return error;
	if (scan.header_error == -ENOTSUP)
		return -ENOTSUP;
	if (scan.header_error == -ENODATA)
		return remove_empty(out, &scan, path);
	if ((error = walk(&scan, &tail, path)))
		return error;
	if (!scan.header_error)
		*same = is_same_node(&scan.header, cluster, node);
	if (!scan.header_error && tail.next_sequence < scan.header.next_sequence)
		tail.next_sequence = scan.header.next_sequence;
	if (tail.next_sequence > out->next_sequence)
		out->next_sequence = tail.next_sequence;
	out->damaged += tail.damaged;
	if ((error = cut(out, &scan, &tail, path)))
		return error;
	if (fsync(scan.fd) < 0) /* what a killed process wrote may be in memory only */
		return -errno;
	out->entries = tail.entries;
	out->last_logged_ms = tail.last_logged_ms;
	if (tail.entries || tail.damaged)
		return tail.entries > 0;
	return remove_empty(out, &scan, path);
}

static int
recover_shard(struct recovery *out, const char *directory, const char *cluster, const char *node,
	      struct error *why)
{
	unsigned int *segments cleanup(free_drop) = NULL;
	char path[PATH_BYTES], name[SHARD_TEXT], file[SEGMENT_TEXT];
	bool same = true;
	size_t count;
	int found;

	snprintf(path, sizeof(path), "%s/%s", directory, shard_format(&out->shard, name));
	found = segments_list(path, &segments, &count);
	if (found < 0)
		return error_set(why, found, "cannot list %s: %s", path, strerror(-found));
	out->next_segment = count ? segments[count - 1] + 1 : 0;
	while (found == 0 && count-- > 0) {
		snprintf(path, sizeof(path), "%s/%s/%s", directory, name,
			 segment_format(segments[count], file));
		found = recover_segment(out, path, &same, cluster, node);
	}
	if (found < 0)
		return error_set(why, found, "cannot recover %s: %s", path,
				 found == -ENOTSUP ? "a newer program wrote it" : strerror(-found));
	out->left = out->shard;
	out->left_sequence = out->next_sequence;
	if (!same) {
		log_warn("journal", "this node or cluster has a new name: a new incarnation of %s",
			 name);
		out->shard.incarnation++;
		out->next_sequence = 0;
		out->next_segment = 0;
	}
	return 0;
}

int
journal_recover(struct recovery *out, const char *directory, const char *cluster, const char *node,
		struct error *why)
{
	struct shard *shards cleanup(free_drop) = NULL;
	size_t count;
	int error;

	*out = (struct recovery){0};
	shards_tidy(directory);
	error = shards_list(directory, &shards, &count);
	if (error)
		return error_set(why, error, "cannot list %s: %s", directory, strerror(-error));
	if (count == 0)
		return 0;
	out->found = true;
	out->shard = shards[count - 1];
	return recover_shard(out, directory, cluster, node, why);
}
