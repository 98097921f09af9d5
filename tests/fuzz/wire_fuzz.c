/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* wire_fuzz - any bytes as a record: decoded, written, read back, and written the same again. */
#include <stdlib.h>
#include <string.h>

#include "event_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
journey(const struct event *event, const struct privacy *privacy)
{
	struct buf first = {0}, second = {0}, store = {0};
	struct event again;
	struct error why = {0};

	event_write(&first, event, &sample_stamp, privacy);
	if (event_read(&again, &store, first.data, first.length, &why) < 0)
		abort();
	event_write(&second, &again, &sample_stamp, &(struct privacy){0});
	if (privacy->mode[PRIVACY_USER] == PRIVACY_FULL &&
	    strcmp(buf_text(&first), buf_text(&second)))
		abort();
	buf_fini(&first);
	buf_fini(&second);
	buf_fini(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct privacy privacy = {.mode = {0}};
	struct wire_head *record;
	static struct event event;

	if (size < sizeof(*record) || size > UINT16_MAX)
		return 0;
	record = malloc(size); /* its own block, so that a read beyond it is seen */
	memcpy(record, data, size);
	record->size = (uint16_t)size;
	if (event_decode(&event, record) == 0) {
		event_set_wall(&event, 1795430400123);
		event.process.user = event.process.name;
		journey(&event, &privacy);
		privacy.mode[PRIVACY_USER] = PRIVACY_PSEUDONYM;
		journey(&event, &privacy);
	}
	free(record);
	return 0;
}
