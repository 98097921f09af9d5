/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.h - two clocks: boot time orders events, wall time stamps what people read. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_boot_ns(void);
int64_t clock_wall_ms(void);

/* Wall minus boot, in ms: add it to a boot time to get UTC. Steps with the wall clock. */
int64_t clock_offset_ms(void);

/* "2026-11-23T10:00:00.123Z" */
#define CLOCK_TEXT 25
const char *clock_format(int64_t wall_ms, char out[CLOCK_TEXT]);

#endif /* BASE_CLOCK_H */
