/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_fuzz - any bytes as a file of messages; sums stay sums, whatever they claim. */
#include <stdlib.h>
#include <string.h>

#include "audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_line(struct audit *audit, const char *text, size_t length)
{
	struct consumer_line line = {0};
	struct consumer_message message;
	struct error why = {0};

	if (consumer_line_read(&line, &message, text, length, &why) < 0)
		audit_unreadable(audit, why.text);
	else if (audit_message(audit, &message) < 0)
		abort();
	consumer_line_fini(&line);
}

static void
check(const struct audit_report *report)
{
	uint64_t messages = report->beats + report->foreign;

	for (size_t i = 0; i < report->stream_count; i++) {
		const struct audit_stream *row = &report->streams[i];

		messages += row->messages;
		if (row->first > row->last || row->duplicates > row->messages)
			abort();
		if (report->verdict == AUDIT_PROVEN && (row->missing || row->altered))
			abort();
	}
	if (messages != report->messages)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size, *newline;
	struct audit_report report;
	struct audit *audit;

	if (audit_new(&audit) < 0)
		abort();
	for (; at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		newline = newline ? newline : end;
		take_line(audit, at, (size_t)(newline - at));
	}
	if (audit_report(audit, &report) < 0)
		abort();
	check(&report);
	audit_free(audit);
	return 0;
}
