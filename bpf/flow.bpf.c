// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * flow - the gate: every IP packet that leaves a socket, counted by socket and
 * destination.
 *
 *	first packet	enter a flow, announce it
 *	later packets	add to the entry; no record
 *	TCP_CLOSE	announce the totals, delete the entry
 *
 * Datagram flows have no end of their own: the sweep closes the idle ones. A
 * SYN-ACK belongs to its listener and never makes a flow, so that a flood of
 * spoofed SYNs makes none either. The gate reads only its context, no foreign
 * memory: it also loads under lockdown=confidentiality.
 */
#include "flow.h"

#define LOOPBACK_IFINDEX 1 /* of lo, in every network namespace */
#define STATE_CLOSE      7
#define STATE_SYN_SENT   2

/* An accepted socket carries its listener's storage: make it its own. */
static __always_inline void
adopt(struct sock_state *st, __u64 cookie)
{
	st->cookie = cookie;
	st->flags = 0;
	st->role = WIRE_ROLE_SERVER;
	if (st->owner.basis != WIRE_BASIS_UNKNOWN)
		st->owner.basis = WIRE_BASIS_LISTENER;
}

/* *first: nothing was sent to this peer, so this is no flow that a full table told already. */
static __always_inline __u8
datagram_role(const struct flow_key *key, const struct packet *p, const struct sock_state *st,
	      bool *first)
{
	__u8 we = WIRE_ROLE_CLIENT | OPENER_MET, *opener, before;

	if (is_icmp_answer(p) && st->owner.basis == WIRE_BASIS_UNKNOWN)
		return WIRE_ROLE_SERVER;
	opener = bpf_map_lookup_elem(&openers, key);
	if (opener) {
		before = *opener;
		*opener = before | OPENER_MET;
		*first = !(before & OPENER_MET);
		return before & ~OPENER_MET;
	}
	bpf_map_update_elem(&openers, key, &we, BPF_NOEXIST);
	return WIRE_ROLE_CLIENT;
}

/* A flow begins with INIT at the client; what a server sends first is INIT ACK. */
static __always_inline __u8
sctp_role(const struct packet *p)
{
	return p->type == 1   ? WIRE_ROLE_CLIENT
	       : p->type == 2 ? WIRE_ROLE_SERVER
			      : WIRE_ROLE_UNKNOWN;
}

static __always_inline __u8
role_of(const struct flow_key *key, const struct packet *p, struct sock_state *st, bool *first)
{
	if (p->protocol == PROTOCOL_SCTP)
		return sctp_role(p);
	if (p->protocol != PROTOCOL_TCP)
		return datagram_role(key, p, st, first);
	if ((p->type & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		st->role = WIRE_ROLE_CLIENT;
	return st->role;
}

/* A look-up costs a tenth of an update, and most flows go where others went before. */
static __always_inline void
remember(const struct flow_key *key)
{
	__u8 one = 1;

	if (!bpf_map_lookup_elem(&counted, key))
		bpf_map_update_elem(&counted, key, &one, BPF_ANY);
}

/* For the NIC probe, which meets forwarded packets without their socket. */
static __always_inline void
remember_destination(const struct flow_key *key)
{
	struct wire_settings *s = settings_get();
	struct flow_key anyone = *key;

	if (!s || !s->uplinks)
		return;
	anyone.cookie = 0;
	remember(&anyone);
	anyone.port = 0; /* later fragments have none */
	remember(&anyone);
}

static __always_inline void
begin(struct __sk_buff *skb, struct wire_counters *c, const struct flow_key *key,
      const struct packet *p, struct sock_state *st, __u32 extra, bool stream)
{
	struct wire_flow flow = {
		.owner = st->owner,
		.cookie = key->cookie,
		.src = p->src,
		.dst = p->dst,
		.src_port = p->src_port,
		.dst_port = p->dst_port,
		.protocol = p->protocol,
		.witness = WIRE_WITNESS_GATE,
		.flags = stream ? 0 : WIRE_FLOW_ENDLESS,
		.ifindex = skb->ifindex,
		.bytes = skb->len,
		.wire_bytes = skb->len + extra,
		.packets = 1,
		.started_ns = st->started_ns,
		.program = st->program,
	};
	bool first = true;
	int begun;

	flow_place(skb, &flow);
	flow.role = role_of(key, p, st, &first);
	/* Of a datagram it cannot be said: connect() to one address, sendto() to another. */
	if (stream && st->flags & SOCK_REQUESTED &&
	    (st->requested_port != p->dst_port || !same_addr(&st->requested, &p->dst))) {
		flow.requested = st->requested;
		flow.requested_port = st->requested_port;
		flow.flags |= WIRE_FLOW_REQUESTED;
	}
	begun = flow_begin(c, key, &flow, first);
	if (begun < 0 && stream)
		st->flags |= SOCK_OVERFLOW;
	if (begun > 0) {
		struct wire_flow *other = bpf_map_lookup_elem(&flows, key);

		if (other)
			flow_grow(other, skb->len, extra);
	}
	remember_destination(key);
}

/* NAT sends a living connection elsewhere: nothing will tell the end of its flow to the old place.
 */
static __always_inline void
abandon(const struct sock_state *st, const struct flow_key *now)
{
	struct flow_key key = *now;
	struct wire_flow *flow;

	key.dst = st->dst;
	key.port = st->dst_port;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (flow)
		flow->flags |= WIRE_FLOW_ENDLESS;
}

/* False: a packet of a connection that is told already, or that lives in the totals. */
static __always_inline bool
follow_stream(struct __sk_buff *skb, struct wire_counters *c, const struct flow_key *key,
	      const struct packet *p, struct sock_state *st, __u32 extra)
{
	__u32 total;

	if (st->flags & SOCK_CLOSED && !(p->type & TCP_SYN))
		total = WIRE_TOTAL_LATE;
	else if (st->flags & SOCK_OVERFLOW)
		total = is_own(&p->dst) ? WIRE_TOTAL_TABLE_FULL_OWN : WIRE_TOTAL_TABLE_FULL_FOREIGN;
	else {
		if (st->flags & SOCK_SENT &&
		    (st->dst_port != p->dst_port || !same_addr(&st->dst, &p->dst)))
			abandon(st, key);
		st->dst = p->dst;
		st->dst_port = p->dst_port;
		return true;
	}
	fold(c);
	total_add(total, 0, skb->len, skb->len + extra);
	return false;
}

/* The snapshot may name the owner of an old socket after its first packet was counted. */
static __always_inline void
name_late(struct wire_flow *flow, const struct sock_state *st)
{
	if (flow->owner.basis != WIRE_BASIS_UNKNOWN || st->owner.basis == WIRE_BASIS_UNKNOWN)
		return;
	flow->owner = st->owner;
	flow->started_ns = st->started_ns;
	flow->program = st->program;
	if (flow->role == WIRE_ROLE_UNKNOWN)
		flow->role = st->role;
}

/* stream: a TCP socket, whose end flow_state will see; raw sockets may send TCP too. */
static __always_inline void
count(struct __sk_buff *skb, struct wire_counters *c, const struct packet *p, struct sock_state *st,
      __u64 cookie, __u32 extra, bool stream)
{
	struct flow_key key;
	struct wire_flow *flow;

	flow_key_fill(&key, cookie, p, WIRE_WITNESS_GATE);
	if (stream && !follow_stream(skb, c, &key, p, st, extra))
		return;
	st->flags |= SOCK_SENT;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow) {
		begin(skb, c, &key, p, st, extra, stream);
		return;
	}
	fold(c);
	name_late(flow, st);
	flow_grow(flow, skb->len, extra);
}

/* For a socket whose option memory is spent: nobody may escape the gate by that. */
static __always_inline struct sock_state *
state_of_nobody(void)
{
	__u32 key = 0;
	struct sock_state *st = bpf_map_lookup_elem(&nobody, &key);

	if (st)
		__builtin_memset(st, 0, sizeof(*st));
	return st;
}

/* A listener that is older than the agent: those it accepts can be told from it by its cookie. */
static __always_inline void
count_listener(struct __sk_buff *skb, struct wire_counters *c, struct bpf_sock *sk, __u32 extra)
{
	struct sock_state *st = bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (st && !st->cookie)
		st->cookie = bpf_get_socket_cookie(skb);
	fold(c);
	total_add(WIRE_TOTAL_LISTENER, 0, skb->len, skb->len + extra);
}

/* True: the packet is counted. False: it has no owner that could be named. */
static __always_inline bool
judge_owned(struct __sk_buff *skb, struct wire_counters *c, struct bpf_sock *sk,
	    const struct packet *p, __u32 extra)
{
	__u64 cookie = bpf_get_socket_cookie(skb);
	struct sock_state *st = bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	bool stream = st && sk->type == TYPE_STREAM && p->protocol == PROTOCOL_TCP;

	if (!st && !(st = state_of_nobody()))
		return false;
	if (st->cookie && st->cookie != cookie)
		adopt(st, cookie);
	st->cookie = cookie;
	if (is_kernel_control(sk, st, p, skb->len))
		return false;
	count(skb, c, p, st, cookie, extra, stream);
	return true;
}

static __always_inline void
judge(struct __sk_buff *skb, struct wire_counters *c)
{
	struct bpf_sock *sk = skb->sk;
	struct packet p;
	__u32 extra;

	if (parse(skb, skb->protocol, 0, &p) < 0) {
		fold(c);
		total_add(WIRE_TOTAL_UNPARSED, 0, skb->len, skb->len);
		return;
	}
	extra = segment_headers(skb, &p);
	total_add(WIRE_TOTAL_GATE, 0, skb->len, skb->len + extra);
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk && sk->state == STATE_LISTEN && p.protocol == PROTOCOL_TCP) {
		count_listener(skb, c, sk, extra);
	} else if (!sk || !judge_owned(skb, c, sk, &p, extra)) {
		fold(c);
		total_add(WIRE_TOTAL_CONTROL, 0, skb->len, skb->len + extra);
	}
}

/* Stays on the node. Its connects are no failed attempts, though no packet of theirs is counted. */
static __always_inline void
filter_loopback(struct __sk_buff *skb, struct wire_counters *c)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_state *st;

	filter(c);
	if (!sk || !(sk = bpf_sk_fullsock(sk)) || sk->state != STATE_SYN_SENT)
		return;
	st = bpf_sk_storage_get(&socks, sk, 0, 0);
	if (st)
		st->flags &= ~SOCK_ATTEMPTED;
}

SEC("cgroup_skb/egress")
int
flow_gate(struct __sk_buff *skb)
{
	struct wire_counters *c = seen(WIRE_FLOW);
	struct wire_settings *s = settings_get();

	if (!c || !s)
		return 1;
	if (skb->ifindex == LOOPBACK_IFINDEX && !s->loopback)
		filter_loopback(skb, c);
	else
		judge(skb, c);
	return 1; /* let it pass: demarc observes */
}

/* What the connection received is known to its socket alone. */
static __always_inline void
note_received(struct wire_flow *flow, const struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock((void *)sk);

	if (!tcp)
		return;
	flow->bytes_in = tcp->bytes_received;
	flow->flags |= WIRE_FLOW_RECEIVED;
}

/* What no record told of a flow whose end met a full ring. */
static __always_inline void
lose(const struct flow_key *key, const struct wire_flow *flow)
{
	struct wire_sum *sum = total_of(WIRE_TOTAL_CLOSE_LOST);

	if (!sum)
		return;
	add(sum->flows, 1);
	add(sum->packets, (flow->packets & FLOW_PACKETS) - flow->told_packets);
	add(sum->bytes, flow->bytes - flow->told_bytes);
	add(sum->wire_bytes, flow->wire_bytes - flow->told_bytes);
	flow_forget(key, flow);
}

static __always_inline void
close_stream(struct sock *sk, struct sock_state *st, int from)
{
	struct flow_key key = {
		.cookie = st->cookie,
		.dst = st->dst,
		.port = st->dst_port,
		.protocol = PROTOCOL_TCP,
		.witness = WIRE_WITNESS_GATE,
	};
	struct wire_flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (from == STATE_SYN_SENT && !(st->flags & SOCK_CLOSED))
		report_attempt(st, flow ? &st->dst : &st->requested,
			       flow ? st->dst_port : st->requested_port, flow ? flow->cgroup : 0,
			       sk->sk_err, 0);
	st->flags |= SOCK_CLOSED;
	if (!flow)
		return;
	note_received(flow, sk);
	if (fetch_set(&flow->packets, FLOW_CLOSED) & (FLOW_CLOSED | FLOW_BUSY))
		return; /* the sweep is at it and tells its end too */
	if (!flow_close(&key, flow))
		lose(&key, flow);
}

SEC("tp_btf/inet_sock_set_state")
int
BPF_PROG(flow_state, struct sock *sk, int from, int to)
{
	struct sock_state *st;

	if (to != STATE_CLOSE || sk->sk_protocol != PROTOCOL_TCP)
		return 0;
	st = bpf_sk_storage_get(&socks, sk, 0, 0);
	if (st && st->flags & SOCK_SENT && st->cookie == bpf_get_socket_cookie(sk))
		close_stream(sk, st, from);
	return 0;
}
