/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* moment - dates and RFC 3339 times as milliseconds since 1970, UTC. */
#include <ctype.h>
#include <errno.h>

#include "rule/ruleset.h"

/* Reads exactly count digits and moves on; -1 when they are not there. */
static int
digits(const char **at, int count)
{
	int number = 0;

	for (; count > 0; count--, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return -1;
		number = number * 10 + (**at - '0');
	}
	return number;
}

static bool
passes(const char **at, char byte)
{
	if (**at != byte)
		return false;
	(*at)++;
	return true;
}

static int
month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = y / 400, year_of_era = y % 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static int
date(const char **at, int64_t *out_ms)
{
	int year, month, day;

	year = digits(at, 4);
	if (year < 1 || !passes(at, '-'))
		return -EINVAL;
	month = digits(at, 2);
	if (month < 1 || month > 12 || !passes(at, '-'))
		return -EINVAL;
	day = digits(at, 2);
	if (day < 1 || day > month_days(year, month))
		return -EINVAL;
	*out_ms = days_since_1970(year, month, day) * 86400000;
	return 0;
}

static int
fraction(const char **at)
{
	int ms = 0, weight = 100;

	for (; isdigit((unsigned char)**at); (*at)++, weight /= 10)
		ms += (**at - '0') * weight;
	return ms;
}

static int
zone(const char **at, int64_t *out_ms)
{
	int sign = **at == '-' ? -1 : 1;
	int hours, minutes;

	if (passes(at, 'Z'))
		return 0;
	if (!passes(at, '+') && !passes(at, '-'))
		return -EINVAL;
	hours = digits(at, 2);
	if (hours < 0 || hours > 23 || !passes(at, ':'))
		return -EINVAL;
	minutes = digits(at, 2);
	if (minutes < 0 || minutes > 59)
		return -EINVAL;
	*out_ms -= sign * (hours * 60 + minutes) * INT64_C(60000);
	return 0;
}

static int
time_of_day(const char **at, int64_t *out_ms)
{
	int hour, minute, second;

	hour = digits(at, 2);
	if (hour < 0 || hour > 23 || !passes(at, ':'))
		return -EINVAL;
	minute = digits(at, 2);
	if (minute < 0 || minute > 59 || !passes(at, ':'))
		return -EINVAL;
	second = digits(at, 2);
	if (second < 0 || second > 60)
		return -EINVAL;
	*out_ms += ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
	if (passes(at, '.')) {
		if (!isdigit((unsigned char)**at))
			return -EINVAL;
		*out_ms += fraction(at);
	}
	return zone(at, out_ms);
}

int
moment_parse(const char *text, int64_t *out_ms)
{
	int64_t ms;

	if (date(&text, &ms) < 0)
		return -EINVAL;
	if (passes(&text, 'T') && time_of_day(&text, &ms) < 0)
		return -EINVAL;
	if (*text)
		return -EINVAL;
	*out_ms = ms;
	return 0;
}
