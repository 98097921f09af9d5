/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sink_summary_test.c - sums that are exact, folded or not, in a table with an end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

struct entry {
	const char *location;
	const char *operator_country;
	const char *scope;
	const char *phase;
	int64_t count, delta, pid;
	const char *verdict;
	const char *moment;
};

static void
put_entry(struct sink *sink, const struct entry *entry)
{
	struct event event;
	struct delivery delivery = {.event = &event, .ticket = 1};

	event_init(&event, &event_flow);
	event.dst_place.location = entry->location;
	event.dst_place.operator_country = entry->operator_country;
	event.dst_place.scope = entry->scope;
	event.judgement.phase = entry->phase;
	event.judgement.count = entry->count;
	event.judgement.verdict = entry->verdict;
	event.moment = entry->moment;
	event.delta_bytes = entry->delta;
	event.bytes = 999999; /* the flow's total: never added when there are deltas */
	event.process.pid = entry->pid;
	event.process.started_ns = 1;
	event.process.name = "curl";
	assert_int_equal(sink->ops->put(sink, &delivery), 0);
}

/* The row's numbers, as words in order. */
static void
expect_row(const char *text, const char *label, const char *numbers)
{
	char words[512] = "", line[512], *word, *save;
	const char *at = text;

	while (at && strncmp(at, label, strlen(label)) != 0)
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	if (!at)
		fail_msg("no row %s in\n%s", label, text);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	for (word = strtok_r(line + strlen(label), " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		strcat(words, words[0] ? " " : "");
		strcat(words, word);
	}
	assert_string_equal(words, numbers);
}

static char *
print(struct sink *sink)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	summary_print(sink, out, false);
	fclose(out);
	return text;
}

static void
sums_are_exact(void **state)
{
	static const struct entry entries[] = {
		{"US", "US", "public", "open", ABSENT, 100, 1, "violation", NULL},
		{"US", "US", "public", "update", 4, 300, 1, "violation", NULL},
		{"US", "US", "public", "close", 5, 24, 1, "violation", NULL},
		{"DE", "DE", "public", "sum", 7, 1000, 2, "allowed", NULL},
		{"DE", "DE", "public", "sum", 3, 24, 3, "allowed", NULL},
		{"DE", "US", "public", NULL, ABSENT, 2, 2, "conditional", "open"},
		{"DE", "US", "public", NULL, ABSENT, 2, 2, "conditional", "update"},
		{"DE", "US", "public", NULL, ABSENT, 1, 2, "conditional", "close"},
		{NULL, NULL, "public", NULL, ABSENT, 6, 2, "unknown", NULL},
		{NULL, NULL, "loopback", NULL, ABSENT, 7, ABSENT, "allowed", NULL},
	};
	struct sink *sink = NULL;
	char *text;
	size_t i;

	(void)state;
	assert_int_equal(summary_open(&sink), 0);
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		put_entry(sink, &entries[i]);
	text = print(sink);
	expect_row(text, "US, operator US", "5 0 424 B 1 0 0 0 5");
	expect_row(text, "DE, operator DE", "10 0 1.0 KiB 2 10 0 0 0");
	expect_row(text, "DE, operator US", "1 0 5 B 1 0 1 0 0");
	expect_row(text, "unknown", "1 0 6 B 1 0 0 1 0");
	expect_row(text, "loopback", "1 0 7 B 0 1 0 0 0");
	expect_row(text, "all", "18 0 1.4 KiB 3 11 1 1 5");
	expect_row(text, "curl", "18 0 1.4 KiB 3 11 1 1 5");
	assert_non_null(strstr(text, "10 entries, 0 of them alerts; 0 records known to be lost"));
	free(text);
	sink->ops->close(sink);
}

static void
rows_are_bounded(void **state)
{
	struct entry entry = {.count = ABSENT, .delta = 1, .pid = 1, .verdict = "allowed"};
	struct sink *sink = NULL;
	char scope[16], *text;
	int i;

	(void)state;
	assert_int_equal(summary_open(&sink), 0);
	for (i = 0; i < 1500; i++) {
		snprintf(scope, sizeof(scope), "s%d", i);
		entry.scope = scope;
		put_entry(sink, &entry);
	}
	text = print(sink);
	expect_row(text, "other", "476 0 476 B 1+ 476 0 0 0");
	expect_row(text, "all", "1500 0 1.5 KiB 1 1500 0 0 0");
	free(text);
	sink->ops->close(sink);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_exact),
		cmocka_unit_test(rows_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
