/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* records_text_fuzz - any bytes as a text of records; what it accepts must decode. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "event.h"
#include "source/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event event;
	struct recording_header header;
	struct buf records = {0};
	struct error why = {0};
	size_t at = 0;

	if (text_parse(&records, &header, (const char *)data, size, &why) < 0) {
		if (!why.text[0] || !why.line)
			abort(); /* an error says what and where */
		records.length = 0;
	}
	while (at < records.length) {
		const struct wire_head *head = (const void *)(records.data + at);

		if (event_decode(&event, head) < 0)
			abort();
		at += (head->size + 7u) & ~7u;
	}
	buf_fini(&records);
	return 0;
}
