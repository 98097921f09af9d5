/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ip.c - parse and print addresses, prefixes and names of protocols. */
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define V4_BITS 96 /* of a mapped address that say: this is IPv4 */

static const uint8_t v4_head[12] = {[10] = 0xff, [11] = 0xff};

bool
ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->bytes, v4_head, sizeof(v4_head)) == 0;
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

struct ip
ip_from_v4(uint32_t host_order)
{
	uint32_t wire_order = htonl(host_order);
	struct ip ip;

	memcpy(ip.bytes, v4_head, sizeof(v4_head));
	memcpy(ip.bytes + sizeof(v4_head), &wire_order, sizeof(wire_order));
	return ip;
}

int
ip_parse(struct ip *out, const char *text)
{
	struct in_addr v4;
	struct ip v6;

	if (inet_pton(AF_INET, text, &v4) == 1)
		*out = ip_from_v4(ntohl(v4.s_addr));
	else if (inet_pton(AF_INET6, text, v6.bytes) == 1)
		*out = v6;
	else
		return -EINVAL;
	return 0;
}

const char *
ip_format(const struct ip *ip, char out[IP_TEXT])
{
	if (ip_is_v4(ip))
		inet_ntop(AF_INET, ip->bytes + sizeof(v4_head), out, IP_TEXT);
	else
		inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT);
	return out;
}

/* Digits alone, without a sign or a leading zero. -1 otherwise. */
static int
parse_bits(const char *text, int limit)
{
	int bits = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		bits = bits * 10 + (*text - '0');
		if (bits > limit)
			return -1;
	}
	return bits;
}

static bool
has_host_bits(const struct prefix *prefix)
{
	for (unsigned int bit = prefix->bits; bit < 128; bit++)
		if (prefix->ip.bytes[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

int
prefix_parse(struct prefix *out, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix prefix = {.bits = 128};
	char address[IP_TEXT];

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	if (ip_parse(&prefix.ip, address) < 0)
		return -EINVAL;
	if (slash) {
		bool is_dotted = !strchr(address, ':');
		int bits = parse_bits(slash + 1, is_dotted ? 32 : 128);

		if (bits < 0)
			return -EINVAL;
		prefix.bits = (uint8_t)(is_dotted ? V4_BITS + bits : bits);
	}
	if (has_host_bits(&prefix))
		return -EINVAL;
	*out = prefix;
	return 0;
}

const char *
prefix_format(const struct prefix *prefix, char out[PREFIX_TEXT])
{
	bool is_v4 = ip_is_v4(&prefix->ip) && prefix->bits >= V4_BITS;
	char address[IP_TEXT];

	snprintf(out, PREFIX_TEXT, "%s/%d", ip_format(&prefix->ip, address),
		 is_v4 ? prefix->bits - V4_BITS : prefix->bits);
	return out;
}

bool
prefix_contains(const struct prefix *prefix, const struct ip *ip)
{
	unsigned int whole = prefix->bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> prefix->bits % 8);

	if (memcmp(prefix->ip.bytes, ip->bytes, whole) != 0)
		return false;
	return whole == 16 || ((prefix->ip.bytes[whole] ^ ip->bytes[whole]) & mask) == 0;
}

/* The first name of a number is the one that is printed. */
static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{1, "icmp"}, {2, "igmp"},       {4, "ipv4"},    {4, "ipip"},   {6, "tcp"},
	{17, "udp"}, {33, "dccp"},      {41, "ipv6"},   {47, "gre"},   {50, "esp"},
	{51, "ah"},  {58, "ipv6-icmp"}, {58, "icmpv6"}, {132, "sctp"}, {136, "udplite"},
};

const char *
protocol_name(uint8_t number)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == number)
			return protocols[i].name;
	return NULL;
}

uint8_t
protocol_number(const char *name)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	return 0;
}
