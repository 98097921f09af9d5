/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sink_people_test.c - lines for people: columns, privacy, harmless bytes, tickets, slow readers.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink.h"
#include "sink/plain.h"

#define CONTAINER "7f3c1b2a9d0e7f3c1b2a9d0e7f3c1b2a9d0e7f3c1b2a9d0e7f3c1b2a9d0e7f3c"

static const char *const administrators[] = {"root", NULL};

struct pipes {
	struct sink *sink;
	struct privacy privacy;
	int in, out;
};

static int
setup(void **state)
{
	struct pipes *pipes = calloc(1, sizeof(*pipes));
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pipes->in = fds[0];
	pipes->out = fds[1];
	pipes->privacy.mode[PRIVACY_USER] = PRIVACY_PSEUDONYM;
	pipes->privacy.mode[PRIVACY_PATH] = PRIVACY_PSEUDONYM;
	pipes->privacy.administrators = administrators;
	assert_int_equal(people_open(&pipes->sink, pipes->out, SINK_DROPS, false, &pipes->privacy),
			 0);
	*state = pipes;
	return 0;
}

static int
teardown(void **state)
{
	struct pipes *pipes = *state;

	if (pipes->sink)
		pipes->sink->ops->close(pipes->sink);
	close(pipes->in);
	if (pipes->out >= 0)
		close(pipes->out);
	free(pipes);
	return 0;
}

static void
fill_event(struct event *event)
{
	event_init(event, &event_flow);
	event->wall_ms = 36000123; /* 10:00:00 */
	event->process.pid = 4242;
	event->process.name = "curl";
	event->process.user = "alice";
	event->process.uid = 1000;
	event->process.container = CONTAINER;
	event->dst = ip_from_v4(0xcb007109); /* 203.0.113.9 */
	event->dst_port = 443;
	event->protocol_name = "tcp";
	event->bytes = 12595;
	event->dst_place.scope = "public";
	event->dst_place.location = "DE";
	event->dst_place.operator_country = "US";
	event->judgement.alert = true;
	event->judgement.level = "high";
	event->judgement.rule = "eu.operator";
	event->judgement.phase = "open";
}

static int
show(struct pipes *pipes, const struct event *event, uint64_t ticket)
{
	struct delivery delivery = {.event = event, .json = "{}", .length = 2, .ticket = ticket};

	return pipes->sink->ops->put(pipes->sink, &delivery);
}

static const char *
read_text(struct pipes *pipes)
{
	static char text[262144];
	size_t length = 0;
	ssize_t got;

	while ((got = read(pipes->in, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	return text;
}

static void
a_line_has_its_columns(void **state)
{
	struct pipes *pipes = *state;
	char expected[512], pseudonym[PSEUDONYM_TEXT];
	struct event event;

	fill_event(&event);
	privacy_pseudonym(&pipes->privacy, "alice", pseudonym);
	snprintf(expected, sizeof(expected),
		 "%-8s %-6s %-22s %-18s %-22s %-27s %-14s %-11s %-28s %s\n", "10:00:00", "HIGH",
		 "curl[4242]", pseudonym, "7f3c1b2a9d0e", "203.0.113.9:443/tcp", "DE/US",
		 "12.3 KiB", "eu.operator", "open");
	assert_int_equal(show(pipes, &event, 1), 0);
	assert_string_equal(read_text(pipes), "");
	assert_int_equal(pipes->sink->ops->commit(pipes->sink, 1), 0);
	assert_string_equal(read_text(pipes), expected);
}

static void
only_what_is_safe_and_asked_for_is_shown(void **state)
{
	struct pipes *pipes = *state;
	struct event event;

	fill_event(&event);
	event.judgement.alert = false;
	show(pipes, &event, 1);
	event.judgement.alert = true;
	event.judgement.rule = "second";
	show(pipes, &event, 2);
	event.judgement.rule = "third";
	show(pipes, &event, 3);
	pipes->sink->ops->commit(pipes->sink, 1);
	assert_string_equal(read_text(pipes), "");
	pipes->sink->ops->commit(pipes->sink, 2);
	assert_non_null(strstr(read_text(pipes), "second"));
	pipes->sink->ops->commit(pipes->sink, 2);
	assert_string_equal(read_text(pipes), "");
	pipes->sink->ops->commit(pipes->sink, 9);
	assert_non_null(strstr(read_text(pipes), "third"));
}

static void
users_follow_their_mode(void **state)
{
	static const struct {
		enum privacy_mode mode;
		const char *user;
		int64_t uid;
		const char *process;
		const char *shown; /* must occur */
		const char *hidden;
	} cases[] = {
		{PRIVACY_FULL, "alice", 1000, "curl", "alice", NULL},
		{PRIVACY_FULL, NULL, 1000, "curl", "uid:1000", NULL},
		{PRIVACY_PSEUDONYM, "alice", 1000, "curl", "p-", "alice"},
		{PRIVACY_PSEUDONYM, "alice", 1000, "alice", "p-", "alice"},
		{PRIVACY_PSEUDONYM, NULL, 4711, "curl", "p-", "4711"},
		{PRIVACY_PSEUDONYM, "root", 0, "curl", "root", "p-"},
		{PRIVACY_DROP, "alice", 1000, "curl", " - ", "alice"},
		{PRIVACY_DROP, "alice", 1000, "alice", "-[4242]", "alice"},
	};
	struct pipes *pipes = *state;
	struct event event;
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill_event(&event);
		pipes->privacy.mode[PRIVACY_USER] = cases[i].mode;
		event.process.user = cases[i].user;
		event.process.uid = cases[i].uid;
		event.process.name = cases[i].process;
		show(pipes, &event, i);
		pipes->sink->ops->commit(pipes->sink, i);
		text = read_text(pipes);
		assert_non_null(strstr(text, cases[i].shown));
		if (cases[i].hidden)
			assert_null(strstr(text, cases[i].hidden));
	}
}

static void
foreign_bytes_do_no_harm(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
	} cases[] = {
		{"plain name", "plain name"},
		{"\033[2Jevil", "?[2Jevil"},
		{"a\nb\rc\td", "a?b?c?d"},
		{"\xc2\x9b"
		 "1m",
		 "?1m"},
		{"\x9b"
		 "1m\x7f",
		 "?1m?"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x80\xaetxt", "?txt"},
		{"\xff\xc3", "??"},
		{"0123456789abcdefghij", "0123456789abcde~"},
		{"0123456789abcdef", "0123456789abcdef"},
	};
	struct pipes *pipes = *state;
	struct buf out = {0};
	struct event event;
	const char *at;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		plain_add(&out, cases[i].text, 16);
		assert_string_equal(buf_text(&out), cases[i].shown);
	}
	buf_fini(&out);
	fill_event(&event);
	event.process.name = event.judgement.rule = event.process.container = "\033]0;x\a";
	event.dst_place.location = event.outcome = event.protocol_name = "\n\033c";
	pipes->privacy.mode[PRIVACY_USER] = PRIVACY_FULL;
	event.process.user = "\033[31m";
	show(pipes, &event, 1);
	pipes->sink->ops->commit(pipes->sink, 1);
	for (at = read_text(pipes); at[1]; at++)
		assert_in_range((unsigned char)*at, 0x20, 0x7e);
	assert_int_equal(*at, '\n');
}

static void
gaps_and_the_agent_speak_too(void **state)
{
	struct pipes *pipes = *state;
	struct event event;
	const char *text;

	event_init(&event, &event_gap);
	event.wall_ms = 36000123;
	event.reason = "shed";
	event.missing = "flow";
	event.lost = 17;
	show(pipes, &event, 1);
	event_init(&event, &event_agent);
	event.reason = "start";
	event.message = "demarc began to watch";
	show(pipes, &event, 2);
	pipes->sink->ops->commit(pipes->sink, 2);
	text = read_text(pipes);
	assert_non_null(strstr(text, "10:00:00 HIGH   gap "));
	assert_non_null(strstr(text, "17 lost: flow\n"));
	assert_non_null(strstr(text, "demarc began to watch\n"));
}

static void
a_slow_reader_is_told_what_he_missed(void **state)
{
	struct pipes *pipes = *state;
	struct event event;
	unsigned int shown = 0, dropped = 0, i;
	const char *text, *at;

	fill_event(&event);
	for (i = 1; i <= 10000; i++) {
		assert_int_equal(show(pipes, &event, i), 0);
		assert_int_equal(pipes->sink->ops->commit(pipes->sink, i), 0);
	}
	for (i = 0; i < 100; i++) {
		text = read_text(pipes);
		for (at = text; (at = strstr(at, "curl[4242]")); at++)
			shown++;
		at = strstr(text, "-- ");
		if (at)
			sscanf(at, "-- %u lines", &dropped);
		pipes->sink->ops->commit(pipes->sink, 10000);
	}
	assert_true(dropped > 1000);
	assert_int_equal(shown + dropped, 10000);
}

static void
a_reader_who_leaves_is_an_error(void **state)
{
	struct pipes *pipes = *state;
	struct event event;

	fill_event(&event);
	close(pipes->in);
	show(pipes, &event, 1);
	assert_int_equal(pipes->sink->ops->commit(pipes->sink, 1), -EPIPE);
	show(pipes, &event, 2);
	assert_int_equal(pipes->sink->ops->commit(pipes->sink, 2), -EPIPE);
	pipes->in = open("/dev/null", O_RDONLY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_its_columns),
		TEST(only_what_is_safe_and_asked_for_is_shown),
		TEST(users_follow_their_mode),
		TEST(foreign_bytes_do_no_harm),
		TEST(gaps_and_the_agent_speak_too),
		TEST(a_slow_reader_is_told_what_he_missed),
		TEST(a_reader_who_leaves_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
