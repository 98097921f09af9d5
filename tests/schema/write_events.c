/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* write_events - every sample under every privacy mode, one JSON object a line. */
#include <stdio.h>

#include "event_samples.h"

int
main(void)
{
	static const char *const administrators[] = {"root", NULL};
	struct buf out = {0};
	struct event event;

	for (enum privacy_mode mode = PRIVACY_FULL; mode <= PRIVACY_DROP; mode++) {
		struct privacy privacy = {.administrators = administrators};

		for (size_t i = 0; i < PRIVACY_CLASSES; i++)
			privacy.mode[i] = mode;
		for (size_t i = 0; i < SAMPLES; i++) {
			sample_make(&event, &samples[i]);
			event_write(&out, &event, &sample_stamp, &privacy);
			buf_addc(&out, '\n');
		}
	}
	fwrite(out.data, 1, out.length, stdout);
	buf_fini(&out);
	return 0;
}
