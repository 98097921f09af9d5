/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * driver.c - a loop that writes a journal and checks what it promised.
 *
 *	driver load DIR SECONDS RATE STAGING_KIB	at that rate; prints the longest turn and
 *counts
 *	driver acks DIR				as fast as it goes; prints "SHARD SEQUENCE UID" once
 *acknowledged driver verify DIR < lines		every line of `acks` must be in the journal
 *	driver count DIR			entries, damaged places
 *
 * Every fourth entry is critical. Exit status 1: a promise was broken.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"

#define TURN_NS 1000000ull
#define PADDING 700 /* so that an entry is as long as a flow's */
#define WINDOW  65536

struct driver {
	struct journal *journal;
	uint64_t offered;
	uint64_t admitted;
	uint64_t refused;
	uint64_t ticket;
	uint64_t acknowledged;
	uint64_t longest_ns;
	uint64_t longest_wait_ns; /* the longest time without an answer while entries waited */
	char (*promises)[96];     /* of the last WINDOW tickets; NULL: none are printed */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int64_t
wall_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static bool
offer(struct driver *driver)
{
	enum journal_class class = driver->offered++ % 4 ? JOURNAL_BULK : JOURNAL_CRITICAL;
	struct event_stamp stamp = {0};

	if (journal_admit(driver->journal, class, wall_ms(), &stamp) < 0) {
		driver->refused++;
		return false;
	}
	buf_addf(journal_bytes(driver->journal),
		 "{\"log\":\"%s\",\"sequence\":%" PRIu64 ",\"uid\":\"%s\",\"pad\":\"%0*d\"}",
		 stamp.log_name, stamp.sequence, stamp.uid, PADDING, 0);
	driver->ticket = journal_add(driver->journal);
	driver->admitted++;
	if (driver->promises)
		snprintf(driver->promises[driver->ticket % WINDOW], 96, "%s %" PRIu64 " %s",
			 stamp.log_name, stamp.sequence, stamp.uid);
	return true;
}

static void
take_answers(struct driver *driver)
{
	uint64_t to = journal_acknowledged(driver->journal);

	while (driver->acknowledged < to) {
		driver->acknowledged++;
		if (driver->promises)
			puts(driver->promises[driver->acknowledged % WINDOW]);
	}
	if (driver->promises)
		fflush(stdout);
}

static int
open_driver(struct driver *driver, const char *directory, size_t staging_bytes)
{
	const char *close_ms = getenv("CLOSE_MS");
	struct journal_options options = {.directory = directory,
					  .node = "driver",
					  .staging_bytes = staging_bytes,
					  .segment_bytes = 4 << 20,
					  .compress = true,
					  .close_ms =
						  close_ms ? (unsigned int)atoi(close_ms) : 20000};
	struct error why = {0};

	if (journal_open(&driver->journal, &options, &why) == 0)
		return 0;
	fprintf(stderr, "driver: %s\n", why.text);
	return 1;
}

/* One turn: what is due by now, hand over, take answers. Its time is what a loop would lose. */
static void
turn(struct driver *driver, uint64_t due)
{
	uint64_t began = now_ns(), took;

	while (driver->offered < due)
		offer(driver);
	journal_commit(driver->journal);
	take_answers(driver);
	took = now_ns() - began;
	driver->longest_ns = took > driver->longest_ns ? took : driver->longest_ns;
}

static int
run_load(const char *directory, unsigned int seconds, uint64_t rate, size_t staging_bytes)
{
	struct driver driver = {0};
	struct journal_state state;
	uint64_t start, end, now, last, saved;

	if (open_driver(&driver, directory, staging_bytes))
		return 1;
	start = last = now_ns();
	end = start + seconds * 1000000000ull;
	while ((now = now_ns()) < end) {
		saved = driver.acknowledged;
		turn(&driver, (now - start) / 1000 * rate / 1000000);
		if (driver.acknowledged != saved || driver.acknowledged == driver.ticket)
			last = now;
		else if (now - last > driver.longest_wait_ns)
			driver.longest_wait_ns = now - last;
		now = now_ns() - now;
		if (now < TURN_NS)
			usleep((unsigned int)((TURN_NS - now) / 1000));
	}
	journal_state(driver.journal, &state);
	saved = journal_close(driver.journal);
	printf("offered=%" PRIu64 " admitted=%" PRIu64 " refused=%" PRIu64 " saved=%" PRIu64
	       " longest_turn_us=%" PRIu64 " longest_silence_ms=%" PRIu64
	       " slowest_sync_ms=%" PRIu64 " sync_errors=%" PRIu64 " write_errors=%" PRIu64 "\n",
	       driver.offered, driver.admitted, driver.refused, saved, driver.longest_ns / 1000,
	       driver.longest_wait_ns / 1000000, state.slowest_sync_ns / 1000000, state.sync_errors,
	       state.write_errors);
	return driver.offered != driver.admitted + driver.refused ||
	       driver.refused != state.refused_bulk + state.refused_critical ||
	       driver.admitted != state.admitted || saved != driver.admitted;
}

static int
run_acks(const char *directory)
{
	struct driver driver = {.promises = calloc(WINDOW, sizeof(*driver.promises))};
	struct pollfd poll_fd = {.events = POLLIN};
	unsigned int i;

	if (!driver.promises || open_driver(&driver, directory, 8 << 20))
		return 1;
	poll_fd.fd = journal_fd(driver.journal);
	for (;;) {
		for (i = 0; i < 64 && driver.ticket - driver.acknowledged < WINDOW / 2; i++)
			offer(&driver);
		journal_commit(driver.journal);
		poll(&poll_fd, 1, 1);
		take_answers(&driver);
	}
}

/* Lines of `acks` are in the journal's order, so one walk through both is enough. */
static int
run_verify(const char *directory)
{
	struct journal_reader *reader = NULL;
	struct journal_position at;
	uint64_t promised = 0, found = 0, extra = 0, damaged = 0;
	struct error why = {0};
	char line[128], entry[128];
	const char *bytes, *uid;
	size_t length;
	int more;

	if (journal_reader_open(&reader, directory, &why) < 0)
		return 1;
	more = fgets(line, sizeof(line), stdin) && strchr(line, '\n');
	promised += (uint64_t)more;
	while ((more = journal_reader_next(reader, &bytes, &length, &why))) {
		if (more < 0) {
			damaged++;
			fprintf(stderr, "%s: %s\n", why.file, why.text);
			continue;
		}
		journal_reader_position(reader, &at);
		uid = memmem(bytes, length, "\"uid\":\"", 7);
		snprintf(entry, sizeof(entry), "%s %" PRIu64 " %.32s\n", at.log_name, at.sequence,
			 uid ? uid + 7 : "");
		if (strcmp(entry, line) != 0) {
			extra++;
			continue;
		}
		found++;
		if (fgets(line, sizeof(line), stdin) && strchr(line, '\n'))
			promised++;
		else
			line[0] = '\0'; /* cut by the kill: promised to nobody */
	}
	journal_reader_close(reader);
	printf("promised=%" PRIu64 " found=%" PRIu64 " extra=%" PRIu64 " damaged=%" PRIu64 "\n",
	       promised, found, extra, damaged);
	return promised != found || damaged;
}

static int
run_count(const char *directory)
{
	struct journal_reader *reader = NULL;
	uint64_t entries = 0, damaged = 0;
	struct error why = {0};
	const char *bytes;
	size_t length;
	int found;

	if (journal_reader_open(&reader, directory, &why) < 0)
		return 1;
	while ((found = journal_reader_next(reader, &bytes, &length, &why))) {
		entries += found == 1;
		damaged += found < 0;
		if (found < 0)
			fprintf(stderr, "%s: %s\n", why.file, why.text);
	}
	journal_reader_close(reader);
	printf("entries=%" PRIu64 " damaged=%" PRIu64 "\n", entries, damaged);
	return damaged != 0;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "load") == 0)
		return run_load(argv[2], (unsigned int)atoi(argv[3]), strtoull(argv[4], NULL, 10),
				strtoull(argv[5], NULL, 10) * 1024);
	if (argc == 3 && strcmp(argv[1], "acks") == 0)
		return run_acks(argv[2]);
	if (argc == 3 && strcmp(argv[1], "verify") == 0)
		return run_verify(argv[2]);
	if (argc == 3 && strcmp(argv[1], "count") == 0)
		return run_count(argv[2]);
	fprintf(stderr, "usage: see the top of driver.c\n");
	return 64;
}
