/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * flow.h - counting a packet into the table of flows, for the two witnesses:
 * the gate (packets that leave sockets) and the NIC (packets that passed no gate).
 */
#ifndef FLOW_H
#define FLOW_H

#include "packet.h"

#define TYPE_STREAM  1 /* SOCK_STREAM */
#define TYPE_RAW     3 /* SOCK_RAW */
#define STATE_LISTEN 10

/* Control packets that the kernel sends through a raw socket of its own, on no process's behalf. */
static __always_inline bool
is_kernel_control(const struct bpf_sock *sk, const struct sock_state *st, const struct packet *p,
		  __u32 length)
{
	return p->protocol == PROTOCOL_TCP && sk->type == TYPE_RAW &&
	       (!st || st->owner.basis == WIRE_BASIS_UNKNOWN) && length == p->header &&
	       (p->type & (TCP_RST | TCP_ACK)) && !(p->type & TCP_SYN);
}

static __always_inline void
flow_key_fill(struct flow_key *key, __u64 cookie, const struct packet *p, __u8 witness)
{
	key->cookie = cookie;
	key->dst = p->dst;
	key->port = p->dst_port;
	key->protocol = p->protocol;
	key->witness = witness;
	key->pad = 0;
}

static __always_inline void
flow_grow(struct wire_flow *flow, __u32 bytes, __u32 extra)
{
	add(flow->bytes, bytes);
	add(flow->wire_bytes, bytes + extra);
	add(flow->packets, 1);
	flow->last_ns = bpf_ktime_get_boot_ns();
}

/* The verifier wants a constant map in each call, hence one of these per ring. */
#define announce(c, flow, ring, urgent)                                        \
	do {                                                                   \
		struct wire_flow *r = record(c, ring, FLOW, struct wire_flow); \
		if (r) {                                                       \
			copy_flow(r, flow, WIRE_MOMENT_OPEN);                  \
			emit(r, &(ring), urgent);                              \
		}                                                              \
	} while (0)

/* Copy all but the head, which is the record's own. */
static __always_inline void
copy_flow(struct wire_flow *r, const struct wire_flow *flow, __u8 moment)
{
	struct wire_head head = r->head;

	*r = *flow;
	r->head = head;
	r->moment = moment;
}

/*
 * A flow's first packet. 0 when it was entered and announced, 1 when another CPU
 * was faster, -1 when the table is full; then the totals of its class have it.
 */
static __always_inline int
flow_begin(struct wire_counters *c, const struct flow_key *key, struct wire_flow *flow,
	   bool count_overflow)
{
	bool own = is_own(&flow->dst);
	long error;

	flow->first_ns = bpf_ktime_get_boot_ns();
	flow->last_ns = flow->first_ns;
	error = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);
	if (!error) {
		if (own)
			announce(c, flow, ring_bulk, false);
		else
			announce(c, flow, ring_critical, true);
		return 0;
	}
	fold(c);
	if (error == -17) /* EEXIST */
		return 1;
	total_add(own ? WIRE_TOTAL_TABLE_FULL_OWN : WIRE_TOTAL_TABLE_FULL_FOREIGN,
		  count_overflow ? 1 : 0, flow->bytes, flow->wire_bytes);
	return -1;
}

#endif /* FLOW_H */
