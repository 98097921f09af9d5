// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * nic - what leaves an uplink, and which of it passed no gate.
 *
 * A packet whose socket the gate counted for that very destination is known.
 * What came in by another interface is forwarded, and known when the gate counted
 * its destination in the network namespace it came from. All else (AF_PACKET,
 * outer headers of tunnels, injected frames) becomes an unattributed flow.
 */
#include "flow.h"

#define TC_ACT_UNSPEC   (-1) /* the next filter decides: we only look */
#define ETHERNET_HEADER 14
#define PROTOCOL_IGMP   2

/*
 * Did the gate count this socket's packets to this destination? Inner packets of
 * a tunnel keep their socket on the outer one, so the destination decides.
 */
static __always_inline bool
passed_gate(struct __sk_buff *skb, const struct packet *p)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_state *st;
	struct flow_key key;

	if (!sk || !(sk = bpf_sk_fullsock(sk)))
		return false;
	if (p->protocol == PROTOCOL_TCP && sk->state == STATE_LISTEN)
		return true;
	st = bpf_sk_storage_get(&socks, sk, 0, 0);
	if (!st || !(st->flags & SOCK_SENT))
		return false;
	if (p->protocol == PROTOCOL_TCP && sk->type == TYPE_STREAM)
		return st->dst_port == p->dst_port && same_addr(&st->dst, &p->dst);
	flow_key_fill(&key, st->cookie, p, WIRE_WITNESS_GATE);
	if (bpf_map_lookup_elem(&flows, &key))
		return true;
	key.cookie = 0; /* a flow that overflowed or was closed as idle has no entry */
	return bpf_map_lookup_elem(&counted, &key) != NULL;
}

static __always_inline bool
destination_counted(const struct packet *p)
{
	struct flow_key key;

	flow_key_fill(&key, 0, p, WIRE_WITNESS_GATE);
	return bpf_map_lookup_elem(&counted, &key) != NULL;
}

/*
 * Packets without content that a kernel sends on no process's behalf: the RST and
 * SYN-ACK of a pod's kernel lose their socket on the way, time-wait sockets have
 * none, nor do their ACKs over IPv6 on kernels before 6.13, and IGMP never had one.
 * So a flood of SYNs makes no flow here either, and a connection's end no second one.
 */
static __always_inline bool
is_control(struct __sk_buff *skb, const struct packet *p, __u32 bytes)
{
	struct bpf_sock *sk = skb->sk;

	if (p->protocol == PROTOCOL_IGMP)
		return !sk;
	if (p->protocol != PROTOCOL_TCP || bytes != p->header)
		return false;
	if (!sk && (p->type & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK)
		return destination_counted(p);
	if (!sk)
		return p->type & TCP_RST || (p->type & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
	sk = bpf_sk_fullsock(sk);
	return !sk || is_kernel_control(sk, bpf_sk_storage_get(&socks, sk, 0, 0), p, bytes);
}

/*
 * Sockets of other cgroups are nobody's business when the scope is a subtree. Before
 * 6.13 the kernel acknowledges and resets over IPv4 through a raw socket of its own,
 * which is in no container's cgroup: there it counts where that goes.
 */
static __always_inline bool
other_scope(struct __sk_buff *skb, const struct wire_settings *s, const struct packet *p,
	    __u32 bytes)
{
	struct bpf_sock *sk = skb->sk;

	if (!s->scope_cgroup || !sk || !(sk = bpf_sk_fullsock(sk)) ||
	    bpf_skb_ancestor_cgroup_id(skb, s->scope_level) == s->scope_cgroup)
		return false;
	return !is_kernel_control(sk, bpf_sk_storage_get(&socks, sk, 0, 0), p, bytes) ||
	       !destination_counted(p);
}

/* Enter or grow a flow without a socket: its own ends stand in for the cookie. */
static __always_inline void
stray(struct __sk_buff *skb, struct wire_counters *c, const struct packet *p, __u8 witness,
      __u32 bytes, __u32 extra)
{
	struct wire_flow flow = {
		.src = p->src,
		.dst = p->dst,
		.src_port = p->src_port,
		.dst_port = p->dst_port,
		.protocol = p->protocol,
		.witness = witness,
		.role = witness == WIRE_WITNESS_FORWARDED && is_icmp_answer(p) ? WIRE_ROLE_SERVER
									       : WIRE_ROLE_UNKNOWN,
		.flags = WIRE_FLOW_ENDLESS,
		.ifindex = skb->ifindex,
		.bytes = bytes,
		.wire_bytes = bytes + extra,
		.packets = 1,
	};
	struct wire_flow *known;
	struct flow_key key;
	const __u64 *source = (const void *)&p->src;

	flow_key_fill(&key, source[1] ^ source[0] ^ p->src_port, p, witness);
	known = bpf_map_lookup_elem(&flows, &key);
	if (known) {
		fold(c);
		flow_grow(known, bytes, extra);
		return;
	}
	flow_place(skb, &flow);
	if (flow_begin(c, &key, &flow, true) > 0) {
		known = bpf_map_lookup_elem(&flows, &key);
		if (known)
			flow_grow(known, bytes, extra);
	}
}

static __always_inline void
classify(struct __sk_buff *skb, struct wire_counters *c, const struct packet *p, __u32 bytes)
{
	__u32 extra = segment_headers(skb, p);

	if (passed_gate(skb, p)) {
		fold(c);
		total_add(WIRE_TOTAL_NIC_COUNTED, 0, bytes, bytes + extra);
	} else if (is_control(skb, p, bytes)) {
		fold(c);
		total_add(WIRE_TOTAL_NIC_CONTROL, 0, bytes, bytes + extra);
	} else if (skb->ingress_ifindex && destination_counted(p)) {
		fold(c);
		total_add(WIRE_TOTAL_NIC_FORWARDED, 0, bytes, bytes + extra);
	} else if (skb->ingress_ifindex) {
		total_add(WIRE_TOTAL_NIC_FORWARDED, 0, bytes, bytes + extra);
		stray(skb, c, p, WIRE_WITNESS_FORWARDED, bytes, extra);
	} else {
		total_add(WIRE_TOTAL_NIC_STRAY, 0, bytes, bytes + extra);
		stray(skb, c, p, WIRE_WITNESS_NIC, bytes, extra);
	}
}

/* What the frame says it is, whatever its sender told the kernel; behind at most two VLAN tags. */
static __always_inline __u16
ethertype_of(struct __sk_buff *skb, __u32 *at)
{
	__u16 type = 0;

	*at = ETHERNET_HEADER;
	bpf_skb_load_bytes(skb, 12, &type, sizeof(type));
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		bpf_skb_load_bytes(skb, *at + 2, &type, sizeof(type));
		*at += 4;
	}
	return type;
}

SEC("tc")
int
nic_egress(struct __sk_buff *skb)
{
	struct wire_counters *c = seen(WIRE_FLOW);
	struct wire_settings *s = settings_get();
	struct packet p;
	__u32 at, bytes;
	__u16 type;
	int parsed;

	if (!c || !s)
		return TC_ACT_UNSPEC;
	type = ethertype_of(skb, &at);
	bytes = skb->len - at;
	parsed = parse(skb, type, at, &p);
	if (other_scope(skb, s, &p, bytes)) {
		filter(c);
		return TC_ACT_UNSPEC;
	}
	total_add(WIRE_TOTAL_NIC, 0, bytes, bytes);
	if (parsed < 0) {
		fold(c);
		total_add(WIRE_TOTAL_NIC_OTHER, 0, bytes, bytes);
	} else {
		classify(skb, c, &p, bytes);
	}
	return TC_ACT_UNSPEC;
}
