/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* limits.h - which values a setting takes, beyond its type. */
#ifndef CONFIG_LIMITS_H
#define CONFIG_LIMITS_H

#include "config/setting.h"

/* One element of a list, or the value. 0, or -EINVAL and a sentence in why. */
int limits_check(const struct setting *setting, const char *text, struct error *why);

#endif /* CONFIG_LIMITS_H */
