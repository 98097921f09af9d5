/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* secret.h - which values of "name=value" nobody may see. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>

#define SECRET_MASK "********"

/* By its name: passwords, secrets, private keys, and what holds such. */
bool secret_is_named(const char *name);

#endif /* BASE_SECRET_H */
