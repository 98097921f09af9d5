/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* secret.c - by parts of names, so that properties of later libraries are hidden too. */
#include "base/secret.h"

#include <stddef.h>
#include <string.h>

bool
secret_is_named(const char *name)
{
	static const char *const parts[] = {
		"password", "secret", "key.pem",  "oauthbearer.config",
		"jaas",     "token",  "ssl.key_", "sasl.oauthbearer.assertion.private"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasestr(name, parts[i]))
			return strcmp(name, "sasl.oauthbearer.token.endpoint.url") != 0;
	return false;
}
