/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* message_fuzz.c - any bytes as an entry: it has a topic, and headers that end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "stream/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct header headers[MESSAGE_HEADERS];
	struct buf stub cleanup(buf_fini) = {0};
	char *copy cleanup(free_drop) = malloc(length ? length : 1); /* no byte beyond it */
	struct message_place place = {.source = "//c/n", .log_name = "c/n/2026-11-23"};
	struct message message;
	size_t count;

	if (!copy)
		return 0;
	memcpy(copy, bytes, length);
	message_read(&message, copy, length);
	if (!message.topics || message.topics >= 1u << STREAM_ENTRY_TOPICS)
		abort();
	place.is_stub = length & 1;
	count = message_headers(headers, &message, &place);
	if (count > MESSAGE_HEADERS)
		abort();
	for (size_t i = 0; i < count; i++)
		if (!memchr(headers[i].value, '\0', sizeof(headers[i].value)))
			abort();
	message_stub(&stub, &message, &place, "reason", length);
	return 0;
}
