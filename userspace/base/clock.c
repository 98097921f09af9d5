/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clock.c - read the two clocks, print one. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_IN_MS    1000000
#define WALL_MS_MIN INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define WALL_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static int64_t
read_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t
clock_boot_ns(void)
{
	return (uint64_t)read_ns(CLOCK_BOOTTIME);
}

int64_t
clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / NS_IN_MS;
}

int64_t
clock_offset_ms(void)
{
	int64_t before = read_ns(CLOCK_BOOTTIME);
	int64_t wall = read_ns(CLOCK_REALTIME);
	int64_t after = read_ns(CLOCK_BOOTTIME);

	return (wall - before - (after - before) / 2) / NS_IN_MS;
}

const char *
clock_format(int64_t wall_ms, char out[CLOCK_TEXT])
{
	char text[96];
	struct tm utc;
	time_t seconds;
	int ms;

	if (wall_ms < WALL_MS_MIN)
		wall_ms = WALL_MS_MIN;
	if (wall_ms > WALL_MS_MAX)
		wall_ms = WALL_MS_MAX;
	ms = (int)(wall_ms % 1000);
	if (ms < 0)
		ms += 1000;
	seconds = (time_t)((wall_ms - ms) / 1000);
	gmtime_r(&seconds, &utc);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
		 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
	memcpy(out, text, CLOCK_TEXT - 1);
	out[CLOCK_TEXT - 1] = '\0';
	return out;
}
