/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* scope - the special-purpose registries of IANA, and the clouds' metadata addresses. Pure. */
#include "place/scope.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const names[SCOPES] = {
	[SCOPE_PUBLIC] = "public",
	[SCOPE_PRIVATE] = "private",
	[SCOPE_LOOPBACK] = "loopback",
	[SCOPE_LINK_LOCAL] = "link-local",
	[SCOPE_METADATA] = "metadata",
	[SCOPE_CGNAT] = "cgnat",
	[SCOPE_OWN] = "own",
	[SCOPE_DOCUMENTATION] = "documentation",
	[SCOPE_MULTICAST] = "multicast",
	[SCOPE_BROADCAST] = "broadcast",
	[SCOPE_UNSPECIFIED] = "unspecified",
	[SCOPE_RESERVED] = "reserved",
};

struct block4 {
	uint32_t first;
	uint8_t bits;
	uint8_t scope;
};

struct block6 {
	uint8_t first[16];
	uint8_t bits;
	uint8_t scope;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

/* The first that contains the address decides, so what is narrow stands before what is wide. */
static const struct block4 blocks4[] = {
	{V4(169, 254, 169, 254), 32, SCOPE_METADATA}, /* AWS, Google, Azure, Oracle, OpenStack */
	{V4(169, 254, 170, 2), 32, SCOPE_METADATA},   /* AWS: credentials of ECS tasks */
	{V4(169, 254, 170, 23), 32, SCOPE_METADATA},  /* AWS: credentials of EKS pods */
	{V4(169, 254, 42, 42), 32, SCOPE_METADATA},   /* Scaleway */
	{V4(168, 63, 129, 16), 32, SCOPE_METADATA},   /* Azure wire server */
	{V4(100, 100, 100, 200), 32, SCOPE_METADATA}, /* Alibaba Cloud */
	{V4(0, 0, 0, 0), 32, SCOPE_UNSPECIFIED},
	{V4(0, 0, 0, 0), 8, SCOPE_RESERVED},
	{V4(10, 0, 0, 0), 8, SCOPE_PRIVATE},
	{V4(100, 64, 0, 0), 10, SCOPE_CGNAT},
	{V4(127, 0, 0, 0), 8, SCOPE_LOOPBACK},
	{V4(169, 254, 0, 0), 16, SCOPE_LINK_LOCAL},
	{V4(172, 16, 0, 0), 12, SCOPE_PRIVATE},
	{V4(192, 0, 0, 0), 24, SCOPE_RESERVED}, /* IETF protocol assignments */
	{V4(192, 0, 2, 0), 24, SCOPE_DOCUMENTATION},
	{V4(192, 88, 99, 0), 24, SCOPE_RESERVED}, /* 6to4 relays, deprecated */
	{V4(192, 168, 0, 0), 16, SCOPE_PRIVATE},
	{V4(198, 18, 0, 0), 15, SCOPE_RESERVED}, /* benchmarking */
	{V4(198, 51, 100, 0), 24, SCOPE_DOCUMENTATION},
	{V4(203, 0, 113, 0), 24, SCOPE_DOCUMENTATION},
	{V4(224, 0, 0, 0), 4, SCOPE_MULTICAST},
	{V4(255, 255, 255, 255), 32, SCOPE_BROADCAST},
	{V4(240, 0, 0, 0), 4, SCOPE_RESERVED},
};

static const struct block6 blocks6[] = {
	{{[15] = 0}, 128, SCOPE_UNSPECIFIED},
	{{[15] = 1}, 128, SCOPE_LOOPBACK},
	/* fd00:ec2::254, AWS; fd00:ec2::23, its EKS pods */
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}, 128, SCOPE_METADATA},
	{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x00, [15] = 0x23}, 128, SCOPE_METADATA},
	/* fd20:ce::254, Google; fd00:c1::a9fe:a9fe, Oracle; fd00:42::42, Scaleway */
	{{0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54}, 128, SCOPE_METADATA},
	{{0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}, 128, SCOPE_METADATA},
	{{0xfd, 0x00, 0x00, 0x42, [15] = 0x42}, 128, SCOPE_METADATA},
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, SCOPE_PUBLIC},   /* local NAT64, see scope.h */
	{{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48, SCOPE_RESERVED}, /* benchmarking */
	{{0x20, 0x01, 0x00, 0x10}, 28, SCOPE_RESERVED},             /* ORCHID */
	{{0x20, 0x01, 0x00, 0x20}, 28, SCOPE_RESERVED},             /* ORCHID v2 */
	{{0x20, 0x01, 0x0d, 0xb8}, 32, SCOPE_DOCUMENTATION},
	{{0x3f, 0xff, 0x00}, 20, SCOPE_DOCUMENTATION},
	{{0x20}, 3, SCOPE_PUBLIC}, /* all that IANA hands out */
	{{0xfe, 0x80}, 10, SCOPE_LINK_LOCAL},
	{{0xfe, 0xc0}, 10, SCOPE_PRIVATE}, /* site-local, deprecated */
	{{0xfc}, 7, SCOPE_PRIVATE},
	{{0xff}, 8, SCOPE_MULTICAST},
	{{0}, 0, SCOPE_RESERVED},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *
scope_name(enum scope scope)
{
	return names[scope];
}

int
scope_by_name(enum scope *out, const char *name)
{
	for (unsigned int i = 0; i < SCOPES; i++) {
		if (!strcmp(names[i], name)) {
			*out = (enum scope)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool
scope_is_claimable(enum scope scope)
{
	return scope != SCOPE_LOOPBACK && scope != SCOPE_METADATA && scope != SCOPE_MULTICAST &&
	       scope != SCOPE_BROADCAST && scope != SCOPE_UNSPECIFIED;
}

static uint32_t
read4(const uint8_t bytes[4])
{
	return V4(bytes[0], bytes[1], bytes[2], bytes[3]);
}

static enum scope
find4(uint32_t address)
{
	for (size_t i = 0; i < COUNT(blocks4); i++) {
		const struct block4 *block = &blocks4[i];

		if ((address ^ block->first) >> (32 - block->bits) == 0)
			return block->scope;
	}
	return SCOPE_PUBLIC;
}

static bool
contains6(const struct block6 *block, const struct ip *ip)
{
	unsigned int bytes = block->bits / 8, rest = block->bits % 8;

	if (memcmp(block->first, ip->bytes, bytes) != 0)
		return false;
	return rest == 0 || (block->first[bytes] ^ ip->bytes[bytes]) >> (8 - rest) == 0;
}

enum scope
scope_find(const struct ip *ip)
{
	size_t i = 0;

	if (ip_is_v4(ip))
		return find4(read4(ip->bytes + 12));
	while (!contains6(&blocks6[i], ip)) /* the last contains everything */
		i++;
	return blocks6[i].scope;
}

bool
scope_embedded(const struct ip *ip, struct ip *out)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	static const uint8_t teredo[4] = {0x20, 0x01, 0x00, 0x00};

	if (ip->bytes[0] == 0x20 && ip->bytes[1] == 0x02)
		*out = ip_from_v4(read4(ip->bytes + 2));
	else if (!memcmp(ip->bytes, nat64, sizeof(nat64)))
		*out = ip_from_v4(read4(ip->bytes + 12));
	else if (!memcmp(ip->bytes, teredo, sizeof(teredo)))
		*out = ip_from_v4(~read4(ip->bytes + 12));
	else
		return false;
	return true;
}
