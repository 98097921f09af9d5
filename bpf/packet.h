/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * packet.h - what an IP packet says of itself: ends, protocol, header length.
 *
 * Bytes are copied out of the skb, so headers need not lie in its linear part.
 */
#ifndef PACKET_H
#define PACKET_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "socks.h"

#define PROTOCOL_ICMP    1
#define PROTOCOL_TCP     6
#define PROTOCOL_UDP     17
#define PROTOCOL_DCCP    33
#define PROTOCOL_ICMPV6  58
#define PROTOCOL_SCTP    132
#define PROTOCOL_UDPLITE 136

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct packet {
	struct wire_addr src;
	struct wire_addr dst;
	__u16 src_port; /* host order; 0 where the protocol or a fragment has none */
	__u16 dst_port;
	__u8 protocol;
	__u8 type;    /* TCP: flags; ICMP: type; SCTP: type of the first chunk */
	__u16 header; /* IP and transport header together, in bytes */
};

static __always_inline bool
has_ports(__u8 protocol)
{
	return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP || protocol == PROTOCOL_SCTP ||
	       protocol == PROTOCOL_UDPLITE || protocol == PROTOCOL_DCCP;
}

static __always_inline void
parse_transport(struct __sk_buff *skb, __u32 at, struct packet *p)
{
	__u8 bytes[14];

	if (p->protocol == PROTOCOL_TCP && !bpf_skb_load_bytes(skb, at, bytes, 14)) {
		p->type = bytes[13];
		p->header += (bytes[12] >> 4) * 4;
	} else if (p->protocol == PROTOCOL_SCTP && !bpf_skb_load_bytes(skb, at, bytes, 13)) {
		p->type = bytes[12];
		p->header += 12;
	} else if (has_ports(p->protocol) && !bpf_skb_load_bytes(skb, at, bytes, 4)) {
		p->header += 8;
	} else {
		if (!bpf_skb_load_bytes(skb, at, bytes, 1))
			p->type = bytes[0];
		return;
	}
	p->src_port = bytes[0] << 8 | bytes[1];
	p->dst_port = bytes[2] << 8 | bytes[3];
}

static __always_inline int
parse_v4(struct __sk_buff *skb, __u32 at, struct packet *p)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.ihl < 5)
		return -1;
	addr_from_v4(&p->src, ip.saddr);
	addr_from_v4(&p->dst, ip.daddr);
	p->protocol = ip.protocol;
	p->header = ip.ihl * 4;
	if (!(ip.frag_off & bpf_htons(0x1fff)))
		parse_transport(skb, at + ip.ihl * 4, p);
	return 0;
}

/* Hop-by-hop, routing, destination options and fragment headers stand between; six of them at most.
 */
static __always_inline int
parse_v6(struct __sk_buff *skb, __u32 at, struct packet *p)
{
	struct ipv6hdr ip;
	__u32 offset = at + sizeof(ip);
	__u8 next;

	if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
		return -1;
	__builtin_memcpy(&p->src, &ip.saddr, 16);
	__builtin_memcpy(&p->dst, &ip.daddr, 16);
	next = ip.nexthdr;
#pragma unroll
	for (int i = 0; i < 6; i++) {
		__u8 extension[4];

		if (next != 0 && next != 43 && next != 44 && next != 60)
			break;
		if (bpf_skb_load_bytes(skb, offset, extension, 4))
			break;
		offset += next == 44 ? 8 : (extension[1] + 1) * 8;
		if (next == 44 && ((extension[2] << 8 | extension[3]) & 0xfff8)) {
			p->protocol = extension[0];
			p->header = offset - at;
			return 0; /* a later fragment has no ports */
		}
		next = extension[0];
	}
	p->protocol = next;
	p->header = offset - at;
	parse_transport(skb, offset, p);
	return 0;
}

/* at: where the IP header begins. 0, or -1 for what is not IP or is cut short. */
static __always_inline int
parse(struct __sk_buff *skb, __u16 ethertype, __u32 at, struct packet *p)
{
	__builtin_memset(p, 0, sizeof(*p));
	if (ethertype == bpf_htons(ETH_P_IP))
		return parse_v4(skb, at, p);
	if (ethertype == bpf_htons(ETH_P_IPV6))
		return parse_v6(skb, at, p);
	return -1;
}

/* Answers that ICMP defines as such: echo reply, errors; neighbour discovery's advertisements. */
static __always_inline bool
is_icmp_answer(const struct packet *p)
{
	if (p->protocol == PROTOCOL_ICMP)
		return p->type == 0 || p->type == 3 || p->type == 11 || p->type == 12 ||
		       p->type == 14;
	if (p->protocol == PROTOCOL_ICMPV6)
		return p->type == 129 || p->type < 128 || p->type == 136;
	return false;
}

/* What the segments that GSO will cut add on the wire: a header each but the first. */
static __always_inline __u32
segment_headers(const struct __sk_buff *skb, const struct packet *p)
{
	return skb->gso_segs > 1 ? (skb->gso_segs - 1) * p->header : 0;
}

#endif /* PACKET_H */
