/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet_fuzz - any bytes as a packet, through the parser that the gate and the NIC probe run.
 *
 * bpf/packet.h is compiled for the host: the packet is a block of its own, and the
 * kernel's copying helper is replaced by one that copies from it. What the parser
 * says is checked against the bytes. The first byte chooses IPv4 or IPv6 and how far
 * into the packet its header begins.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_endian.h>
#include <linux/bpf.h>

#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

/* What packet.h takes from socks.h and the kernel. */
#define SOCKS_H

static inline void
addr_from_v4(struct wire_addr *out, __u32 network_order)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(out->ip, mapped, sizeof(mapped));
	memcpy(out->ip + sizeof(mapped), &network_order, sizeof(network_order));
}

struct bytes {
	struct __sk_buff skb; /* first, so that the one stands for the other */
	const uint8_t *data;
	size_t size;
	size_t furthest; /* byte that the parser has seen */
};

static inline long
bpf_skb_load_bytes(const struct __sk_buff *skb, __u32 offset, void *to, __u32 length)
{
	struct bytes *bytes = (struct bytes *)(uintptr_t)skb;

	if (offset > bytes->size || length > bytes->size - offset)
		return -14;
	memcpy(to, bytes->data + offset, length);
	if (offset + length > bytes->furthest)
		bytes->furthest = offset + length;
	return 0;
}

#include "packet.h"

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static uint16_t
port_at(const struct bytes *bytes, size_t at)
{
	return (uint16_t)(bytes->data[at] << 8 | bytes->data[at + 1]);
}

/* Fields that stand at fixed places. Returns the bytes of the IP header without extensions. */
static size_t
check_address(const struct bytes *bytes, const struct packet *p, bool is_v6, size_t at)
{
	const uint8_t *ip = bytes->data + at;

	if (is_v6) {
		require(bytes->size >= at + 40);
		require(!memcmp(p->src.ip, ip + 8, 16) && !memcmp(p->dst.ip, ip + 24, 16));
		return 40;
	}
	require(bytes->size >= at + 20 && (ip[0] & 15) >= 5);
	require(!memcmp(p->src.ip + 12, ip + 12, 4) && !memcmp(p->dst.ip + 12, ip + 16, 4));
	require(p->dst.ip[9] == 0 && p->dst.ip[10] == 0xff && p->dst.ip[11] == 0xff);
	require(p->protocol == ip[9]);
	return (ip[0] & 15) * 4u;
}

/* Whether the ports told stand header bytes before the end of all headers. */
static bool
ports_stand(const struct bytes *bytes, const struct packet *p, size_t end, size_t header)
{
	return header <= end && end - header + 4 <= bytes->size &&
	       port_at(bytes, end - header) == p->src_port &&
	       port_at(bytes, end - header + 2) == p->dst_port;
}

/* Ports are copied from where the transport header begins, or there are none. */
static void
check_ports(const struct bytes *bytes, const struct packet *p, size_t at)
{
	size_t end = at + p->header;
	/* 8 bytes: UDP and its kin, and what is cut short within its first bytes */
	bool stand = ports_stand(bytes, p, end, 8);

	if (p->src_port == 0 && p->dst_port == 0)
		return;
	require(has_ports(p->protocol));
	if (p->protocol == PROTOCOL_SCTP)
		stand = stand || ports_stand(bytes, p, end, 12);
	/* the header's length stands in itself, so its beginning is searched */
	for (size_t length = 0; p->protocol == PROTOCOL_TCP && length <= 60; length += 4)
		stand = stand ||
			(ports_stand(bytes, p, end, length) && end - length + 14 <= bytes->size &&
			 bytes->data[end - length + 12] >> 4 == length / 4 &&
			 bytes->data[end - length + 13] == p->type);
	require(stand);
}

static void
check(const struct bytes *bytes, const struct packet *p, bool is_v6, size_t at)
{
	size_t head = check_address(bytes, p, is_v6, at);

	require(p->header >= head);
	require(p->header <= head + (is_v6 ? 6u * 2048 : 0) + 60);
	check_ports(bytes, p, at);
	if (!is_v6 && (port_at(bytes, at + 6) & 0x1fff)) /* a later fragment */
		require(p->src_port == 0 && p->dst_port == 0 && p->type == 0 && p->header == head);
	require(bytes->furthest <= bytes->size);
	if (is_icmp_answer(p))
		require(p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6);
	require(segment_headers(&bytes->skb, p) == (bytes->skb.gso_segs > 1 ? p->header * 2u : 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {.size = size ? size - 1 : 0};
	struct packet packet;
	uint8_t *block;
	bool is_v6;
	__u32 at;

	if (size == 0)
		return 0;
	is_v6 = data[0] & 1;
	at = data[0] & 2 ? 14 : 0;
	bytes.skb.gso_segs = data[0] & 4 ? 3 : 1;
	block = malloc(bytes.size ? bytes.size : 1); /* its own, so that a read beyond it is seen */
	memcpy(block, data + 1, bytes.size);
	bytes.data = block;
	if (parse(&bytes.skb, bpf_htons(is_v6 ? ETH_P_IPV6 : ETH_P_IP), at, &packet) == 0)
		check(&bytes, &packet, is_v6, at);
	else
		require(bytes.size < at + (is_v6 ? 40 : 20) || (block[at] & 15) < 5);
	require(parse(&bytes.skb, bpf_htons(ETH_P_ARP), at, &packet) == -1);
	free(block);
	return 0;
}
