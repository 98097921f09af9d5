/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log.h - the program speaks to its operator, on stderr, one line a time.
 *
 *	log_info("journal", "recovered %zu entries from %s", count, path);
 *
 * prints, in logfmt or as one JSON object:
 *
 *	time=2026-11-23T10:00:00.000Z level=info component=journal msg="recovered ..."
 *
 * The format and level are set once at start. Violations are never logged here:
 * they are events. Pure modules (event, place, rule) do not log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_setup(enum log_level level, bool json);
void log_write(enum log_level level, const char *component, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(component, ...) log_write(LOG_LEVEL_ERROR, component, __VA_ARGS__)
#define log_warn(component, ...)  log_write(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_info(component, ...)  log_write(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_debug(component, ...) log_write(LOG_LEVEL_DEBUG, component, __VA_ARGS__)

#endif /* BASE_LOG_H */
