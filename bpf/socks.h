/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * socks.h - what is remembered of each socket, and the table of flows: the
 * memory that the gate, the connect probe and the NIC probe share.
 */
#ifndef SOCKS_H
#define SOCKS_H

#include "probe.h"

#define SOCK_ATTEMPTED 1u  /* connect() was called and no packet has left since */
#define SOCK_SENT      2u  /* a packet has left */
#define SOCK_CLOSED    4u  /* its flow's closing record is out: later packets are late */
#define SOCK_OVERFLOW  8u  /* its flow met a full table and lives in the totals */
#define SOCK_REQUESTED 16u /* requested holds what connect() asked for */
#define SOCK_HEARD     32u /* a datagram came before any had left */

/*
 * Storage of a socket. Cloned from a listener to each socket that it accepts:
 * the cookie, which is then the listener's, tells a clone from an original.
 */
struct sock_state {
	__u64 cookie;
	struct wire_owner owner;
	struct wire_addr requested;
	struct wire_addr dst; /* TCP: destination on the wire, the key of its flow */
	__u16 requested_port;
	__u16 dst_port;
	__u8 role;
	__u8 flags;
	__u16 pad;
	__u64 started_ns; /* of the owner, and what it ran when it was noted */
	struct wire_program program;
};

struct flow_key {
	__u64 cookie;
	struct wire_addr dst;
	__u16 port;
	__u8 protocol;
	__u8 witness;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, __u32);
	__type(value, struct sock_state);
} socks SEC(".maps");

/*
 * An entry is the record that it will become. What only a record needs has another
 * meaning until then:
 *
 *	head.time_ns	when the flow was told last
 *	head.sequence	its packets when the sweep looked last and found it idle
 *	head.kind	its own place in held
 *	head.size, .cpu	those of the cgroups it lies in: one, and two more in its halves
 *	moment		not 0: its socket is closed, and its end is due
 *	packets		two bits above the number say who may tell its end
 */
#define FLOW_CLOSED  (1ull << 63) /* its end is being told: one more packet is late */
#define FLOW_BUSY    (1ull << 62) /* the sweep tells of it: whoever closes it leaves that to it */
#define FLOW_PACKETS (FLOW_BUSY - 1)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536); /* set by the loader */
	__type(key, struct flow_key);
	__type(value, struct wire_flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_TOTALS); /* times CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct wire_sum);
} totals SEC(".maps");

/*
 * What each cgroup holds and tells, all that lies in it included, for the three levels
 * below the scope; and at the end all of them together. The kernel numbers cgroups one
 * after the other, so two of them share a place, and with it what they may have, only
 * where 16,384 were made in between.
 */
#define HELD_PLACES 16384
#define HELD_NONE   0xffff /* no such cgroup: there is no place of that number */

struct held {
	__u64 flows; /* entries in the table */
	__u64 told;  /* records of flows without an entry: the second above their number; of all
			together: when the table was crowded last */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HELD_PLACES + 1);
	__type(key, __u32);
	__type(value, struct held);
} held SEC(".maps");

/*
 * When a record last named a destination of a cgroup for which the table had no room. What
 * is forgotten is told again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow_key); /* with the cgroup as cookie, and port 0 */
	__type(value, __u64);
} named SEC(".maps");

struct own_key {
	__u32 bits;
	struct wire_addr ip;
};

/* Own networks and special scopes: a first packet elsewhere is urgent. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct own_key);
	__type(value, __u8);
} own_nets SEC(".maps");

/*
 * Who spoke first between a socket and a datagram peer: WIRE_ROLE_CLIENT, we did, or
 * WIRE_ROLE_SERVER, they did. It outlives idle flows, so that no client becomes a
 * server because its peer broke a silence. A flood of flows makes it forget; then a socket
 * that spoke before it was spoken to is a client, for no flood may make a server of it.
 */
#define OPENER_MET 0x80 /* and a packet of ours has gone there */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, __u8);
} openers SEC(".maps");

/* State of a socket that has no room for one (its option memory is spent): owner unknown. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sock_state);
} nobody SEC(".maps");

/* Destinations that the gate has counted, whatever the socket: forwarded packets lost theirs. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key); /* with cookie 0 */
	__type(value, __u8);
} counted SEC(".maps");

static __always_inline struct wire_sum *
total_of(__u32 which)
{
	__u32 key = bpf_get_smp_processor_id() * WIRE_TOTALS + which;

	return bpf_map_lookup_elem(&totals, &key);
}

/* One packet. */
static __always_inline void
total_add(__u32 which, __u64 flow_count, __u64 bytes, __u64 wire_bytes)
{
	struct wire_sum *sum = total_of(which);

	if (!sum)
		return;
	if (flow_count)
		add(sum->flows, flow_count);
	add(sum->packets, 1);
	add(sum->bytes, bytes);
	add(sum->wire_bytes, wire_bytes);
}

static __always_inline bool
is_own(const struct wire_addr *ip)
{
	struct own_key key = {.bits = 128, .ip = *ip};

	return bpf_map_lookup_elem(&own_nets, &key) != NULL;
}

static __always_inline bool
same_addr(const struct wire_addr *a, const struct wire_addr *b)
{
	const __u32 *x = (const void *)a, *y = (const void *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

static __always_inline void
addr_from_v4(struct wire_addr *out, __u32 network_order)
{
	__u32 *words = (void *)out;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = network_order;
}

/* A connection that came to nothing: error is the errno, or flags say why not. */
static __always_inline void
report_attempt(const struct sock_state *st, const struct wire_addr *dst, __u16 port, __u64 cgroup,
	       __s32 error, __u8 flags)
{
	struct wire_counters *c = seen(WIRE_CONNECT);
	struct wire_connect *r;

	if (!c || !(r = record(c, ring_bulk, CONNECT, struct wire_connect)))
		return;
	r->owner = st->owner;
	r->cookie = st->cookie;
	r->cgroup = cgroup;
	r->dst = *dst;
	r->requested = st->requested;
	r->dst_port = port;
	r->requested_port = st->requested_port;
	r->protocol = 6;
	r->flags = flags | (st->flags & SOCK_REQUESTED ? WIRE_FLOW_REQUESTED : 0);
	r->pad = 0;
	r->error = error;
	r->pad2 = 0;
	r->started_ns = st->started_ns;
	r->program = st->program;
	emit(r, &ring_bulk, false);
}

#endif /* SOCKS_H */
