/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_read_fuzz - any bytes as an entry; what is read can be written and read again. */
#include <stdlib.h>

#include "event_samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct privacy full;
	struct buf store = {0}, more = {0}, out = {0};
	struct error why = {0};
	static struct event event, again;

	if (event_read(&event, &store, (const char *)data, size, &why) == 0) {
		event_write(&out, &event, &sample_stamp, &full);
		if (event_read(&again, &more, out.data, out.length, &why) < 0)
			abort();
	}
	buf_fini(&store);
	buf_fini(&more);
	buf_fini(&out);
	return 0;
}
