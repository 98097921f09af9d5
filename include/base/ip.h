/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ip.h - addresses and prefixes. Both families in one type: IPv4 is kept
 * mapped, as ::ffff:a.b.c.d, and printed as a.b.c.d.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>

struct ip {
	uint8_t bytes[16];
};

struct prefix {
	struct ip ip;
	uint8_t bits; /* of the mapped form: 96 + n for an IPv4 /n */
};

#define IP_TEXT     46 /* longest text, NUL included */
#define PREFIX_TEXT 50

bool ip_is_v4(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
struct ip ip_from_v4(uint32_t host_order);

/* 0, or -EINVAL. Takes no port, zone or brackets. */
int ip_parse(struct ip *out, const char *text);
const char *ip_format(const struct ip *ip, char out[IP_TEXT]);

/* "10.0.0.0/8", or a bare address as a prefix of one. Host bits must be zero: -EINVAL. */
int prefix_parse(struct prefix *out, const char *text);
const char *prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT]);
/* In the mapped form, so that prefixes nest and can be searched: ::/0 holds all of IPv4 too. */
bool prefix_contains(const struct prefix *prefix, const struct ip *ip);

/* Name of an IANA protocol number ("tcp"), or NULL; and back, 0 when unknown. */
const char *protocol_name(uint8_t number);
uint8_t protocol_number(const char *name);

#endif /* BASE_IP_H */
