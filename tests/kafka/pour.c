/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pour.c - the journal and its stream alone, at rates that packets do not reach on two cores.
 *
 *	pour DIRECTORY BROKERS PREFIX VIOLATIONS ACTIVITIES SECONDS DRAIN_S [QUOTA_MIB]
 *
 * Admits so many of each a second, as the agent's loop does, and says what the journal
 * refused in gaps, once a second. Then waits until the broker has all of it. Prints
 * what became of it, as one JSON object. Killed, it goes on in the same directory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "event_samples.h"
#include "base/clock.h"
#include "base/log.h"
#include "carry.h"
#include "journal.h"
#include "stream.h"

#define SECOND_NS UINT64_C(1000000000)
#define TURN_US   5000

struct pour {
	struct carry *carry;
	struct journal *journal;
	struct stream *stream;
	struct privacy privacy;
	struct event violation, activity;
	uint64_t admitted[2];
	uint64_t refused[2];
	uint64_t told[2]; /* of the refused, in gaps */
	uint64_t gaps;
};

static int
put(struct pour *pour, const struct event *event, enum journal_class class)
{
	struct event_stamp stamp = {.node = "n1", .cluster = "c1", .version = "1", .boot_id = "b"};
	int error = journal_admit(pour->journal, class, clock_wall_ms(), &stamp);

	if (error)
		return error;
	event_write(journal_bytes(pour->journal), event, &stamp, &pour->privacy);
	return journal_add(pour->journal) ? 0 : -ENOMEM;
}

static void
put_counted(struct pour *pour, struct event *event, enum journal_class class)
{
	event->wall_ms = clock_wall_ms();
	event->dst_port = (int64_t)(pour->admitted[class] % 60000);
	if (put(pour, event, class) == 0)
		pour->admitted[class]++;
	else
		pour->refused[class]++;
}

/* What was refused since the last gap is said as soon as there is room for that. */
static void
put_gap(struct pour *pour)
{
	uint64_t lost = pour->refused[JOURNAL_BULK] - pour->told[JOURNAL_BULK];
	struct event gap;

	if (!lost)
		return;
	event_init(&gap, &event_gap);
	gap.wall_ms = clock_wall_ms();
	gap.reason = "shed";
	gap.missing = "flow";
	gap.lost = (int64_t)lost;
	if (put(pour, &gap, JOURNAL_CRITICAL) < 0)
		return;
	pour->told[JOURNAL_BULK] += lost;
	pour->gaps++;
}

static void
turn(struct pour *pour)
{
	struct journal_state state;
	struct stream_news news;

	journal_keep(pour->journal);
	if (carry_commit(pour->carry) == 0)
		journal_commit(pour->journal);
	journal_acknowledged(pour->journal);
	journal_state(pour->journal, &state);
	if (*state.shard && state.waiting <= state.next_sequence)
		stream_allow(pour->stream, state.shard, state.next_sequence - state.waiting);
	while (stream_news(pour->stream, &news))
		log_info("pour", "%s", news.text);
}

static void
run(struct pour *pour, const uint64_t rates[2], uint64_t seconds)
{
	uint64_t began = clock_boot_ns(), said = 0, done[2] = {0}, past;

	while ((past = clock_boot_ns() - began) < seconds * SECOND_NS) {
		for (; done[0] < past * rates[0] / SECOND_NS; done[0]++)
			put_counted(pour, &pour->activity, JOURNAL_BULK);
		for (; done[1] < past * rates[1] / SECOND_NS; done[1]++)
			put_counted(pour, &pour->violation, JOURNAL_CRITICAL);
		if (past / SECOND_NS > said) {
			said = past / SECOND_NS;
			put_gap(pour);
		}
		turn(pour);
		usleep(TURN_US);
	}
	put_gap(pour);
}

static bool
is_drained(struct pour *pour)
{
	struct stream_state state;
	struct journal_state journal;

	journal_state(pour->journal, &journal);
	stream_state(pour->stream, &state);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		if (state.topics[i].lag || state.topics[i].in_flight)
			return false;
	return !journal.waiting;
}

static uint64_t
acked(struct pour *pour)
{
	struct stream_state state;
	uint64_t sum = 0;

	stream_state(pour->stream, &state);
	for (int i = 0; i < STREAM_ENTRY_TOPICS; i++)
		sum += state.topics[i].acked;
	return sum;
}

/* Seconds from the first acknowledgement on; below 0: not within the limit. */
static double
drain(struct pour *pour, uint64_t limit_s, uint64_t *count)
{
	uint64_t before = acked(pour), end = clock_boot_ns() + limit_s * SECOND_NS, began = 0;

	while (clock_boot_ns() < end) {
		turn(pour);
		if (!began && acked(pour) > before)
			began = clock_boot_ns();
		if (is_drained(pour) && acked(pour) > 0) {
			*count = acked(pour) - before;
			return (double)(clock_boot_ns() - (began ? began : clock_boot_ns())) / 1e9;
		}
		usleep(TURN_US);
	}
	return -1;
}

static int
refuse(const struct error *why)
{
	fprintf(stderr, "pour: %s\n", why->text);
	return -1;
}

static int
start(struct pour *pour, char **argv, uint64_t quota_mib)
{
	struct journal_options journal = {.cluster = "c1", .node = "n1"};
	struct stream_options stream = {.cluster = "c1", .node = "n1", .version = "1"};
	char folder[4096], state[4096], carry[4096];
	struct error why = {0};

	snprintf(folder, sizeof(folder), "%s/journal", argv[1]);
	snprintf(state, sizeof(state), "%s/stream", argv[1]);
	snprintf(carry, sizeof(carry), "%s/carry", argv[1]);
	journal.directory = stream.journal = folder;
	journal.quota_bytes = quota_mib << 20;
	stream.directory = state;
	stream.brokers = argv[2];
	stream.topic_prefix = argv[3];
	if (carry_open(&pour->carry, carry, "b", &why) < 0)
		return refuse(&why);
	journal.carry = pour->carry;
	if (journal_open(&pour->journal, &journal, &why) < 0 ||
	    stream_open(&pour->stream, &stream, &why) < 0)
		return refuse(&why);
	event_init(&pour->violation, &event_flow);
	sample_flow(&pour->violation);
	event_init(&pour->activity, &event_flow);
	sample_flow(&pour->activity);
	pour->activity.judgement = (struct event_judgement){.verdict = "allowed",
							    .severity = 1,
							    .count = ABSENT,
							    .first_ms = ABSENT,
							    .last_ms = ABSENT};
	return 0;
}

int
main(int argc, char **argv)
{
	static struct pour pour;
	struct rusage usage;
	uint64_t rates[2], count = 0;
	double seconds;

	if (argc < 8)
		return 64;
	log_setup(LOG_LEVEL_WARN, false);
	rates[JOURNAL_CRITICAL] = strtoull(argv[4], NULL, 10);
	rates[JOURNAL_BULK] = strtoull(argv[5], NULL, 10);
	if (start(&pour, argv, argc > 8 ? strtoull(argv[8], NULL, 10) : 0) < 0)
		return 1;
	run(&pour, rates, strtoull(argv[6], NULL, 10));
	printf("poured\n");
	fflush(stdout);
	seconds = drain(&pour, strtoull(argv[7], NULL, 10), &count);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"violations\":%" PRIu64 ",\"activities\":%" PRIu64
	       ",\"refused_violations\":%" PRIu64 ",\"refused_activities\":%" PRIu64
	       ",\"gaps\":%" PRIu64 ",\"drained\":%" PRIu64 ",\"drain_s\":%.3f,\"rss_kib\":%ld}\n",
	       pour.admitted[1], pour.admitted[0], pour.refused[1], pour.refused[0], pour.gaps,
	       count, seconds, usage.ru_maxrss);
	stream_close(pour.stream);
	journal_close(pour.journal);
	carry_close(pour.carry);
	return seconds < 0;
}
