/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* keys.h - the key that makes pseudonyms: made once per node, kept with mode 0600. */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>

#include "base/error.h"
#include "config.h"
#include "event.h"

/* Read privacy.key_file, or the state directory's own, made when missing. A replay never makes
 * one: without a key its pseudonyms come from a key of zeroes. */
int key_load(unsigned char key[32], const struct config *config, bool replay, struct error *why);

/* "full", "pseudonym", "drop"; the configuration has checked the word. */
enum privacy_mode privacy_mode_of(const char *word);

#endif /* KEYS_H */
