/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names.h - the names of settings: in the environment, as sections, nearest to a wrong one. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define NAME_BYTES 64

/* "flows.table_entries" is DEMARC_FLOWS_TABLE_ENTRIES. */
void names_environment(const char *name, char out[NAME_BYTES]);

/* The index of the setting that a variable's name (length bytes) means; SETTINGS when none. */
size_t names_find_variable(const char *name, size_t length);

/* Is there a setting below name? */
bool names_is_section(const char *name);

/* "no setting 'flows.tabel_entries'; did you mean 'flows.table_entries'?" Returns -EINVAL. */
int names_fail_setting(const char *name, struct error *why);
int names_fail_variable(const char *name, size_t length, struct error *why);

#endif /* CONFIG_NAMES_H */
