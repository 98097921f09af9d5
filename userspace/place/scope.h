/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * scope.h - what kind of address this is, from tables alone.
 */
#ifndef PLACE_SCOPE_H
#define PLACE_SCOPE_H

#include <stdbool.h>

#include "base/ip.h"

enum scope {
	SCOPE_PUBLIC,
	SCOPE_PRIVATE,
	SCOPE_LOOPBACK,
	SCOPE_LINK_LOCAL,
	SCOPE_METADATA,
	SCOPE_CGNAT,
	SCOPE_OWN,
	SCOPE_DOCUMENTATION,
	SCOPE_MULTICAST,
	SCOPE_BROADCAST,
	SCOPE_UNSPECIFIED,
	SCOPE_RESERVED,
	SCOPES,
};

const char *scope_name(enum scope scope);

/* -EINVAL when no scope has that name. */
int scope_by_name(enum scope *out, const char *name);

/* Never SCOPE_OWN. An address that embeds an IPv4 one is judged as it stands: see below. */
enum scope scope_find(const struct ip *ip);

/* May the operator's own prefixes claim an address of this scope? Not loopback and its like. */
bool scope_is_claimable(enum scope scope);

/*
 * The IPv4 address that a 6to4 (2002::/16), NAT64 (64:ff9b::/96) or Teredo
 * (2001::/32, the client behind it) address carries. That is where the packets
 * end, so it is judged instead, by every source: 64:ff9b::10.0.0.1 is private.
 * False, and *out untouched, when the address carries none. The local NAT64 prefix 64:ff9b:1::/48
 * does not say where it keeps the IPv4 address, so it stays public without a location: unknown.
 */
bool scope_embedded(const struct ip *ip, struct ip *out);

#endif /* PLACE_SCOPE_H */
