// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sweep - tells what no packet tells: that a flow goes on, and that one has ended
 * in silence.
 *
 * Run over the whole table again and again, a part at each read of its file, which
 * yields a byte for each entry. It says of
 *
 *	a flow whose opening met a full ring	that it opened
 *	an idle one without an end of its own	its totals, and takes it out
 *	any other, once an interval		how far it has come
 *
 * and leaves to the next pass what finds no room in a ring: nothing is lost by
 * waiting. Flows that opened together are due together, at the rate at which the
 * rings have taken them once.
 */
#include "flow.h"

#define ROOM_BYTES 1024 /* for this record, and those that others write meanwhile */

/* Asked first, so that waiting for room is no lost record. */
#define has_room(ring)                                           \
	(bpf_ringbuf_query(&(ring), BPF_RB_RING_SIZE) -          \
		 bpf_ringbuf_query(&(ring), BPF_RB_AVAIL_DATA) > \
	 ROOM_BYTES)

static __always_inline bool
is_idle(const struct wire_flow *flow, const struct wire_settings *s, __u64 now_ns)
{
	bool ends_itself = flow->protocol == PROTOCOL_TCP && flow->witness == WIRE_WITNESS_GATE &&
			   s->tcp_ends && !(flow->flags & WIRE_FLOW_ENDLESS) && !flow->moment;

	return !ends_itself && s->idle_ns && now_ns > flow->last_ns &&
	       now_ns - flow->last_ns > s->idle_ns;
}

static __always_inline bool
is_due(const struct wire_flow *flow, const struct wire_settings *s, __u64 now_ns)
{
	return s->interval_ns && now_ns > flow->head.time_ns &&
	       now_ns - flow->head.time_ns >= s->interval_ns;
}

static __always_inline void
tell_late(struct wire_flow *flow)
{
	bool own = is_own(&flow->dst);
	struct wire_counters *c;

	if (!(own ? has_room(ring_bulk) : has_room(ring_critical)))
		return;
	c = seen(WIRE_FLOW);
	if (c && tell_opening(c, flow, own, bpf_ktime_get_boot_ns()))
		flow->flags &= ~WIRE_FLOW_UNTOLD;
}

/*
 * Claim the end of an idle flow: not one packet may have come since the pass before,
 * a second ago, so that whoever counted the last one is long done with it; and none
 * comes after the exchange without learning that it is late. So nothing is lost
 * between copy and deletion, and nothing is told twice.
 */
static __always_inline bool
claim_end(struct wire_flow *flow, __u64 packets)
{
	return flow->head.sequence == packets &&
	       exchange(&flow->packets, packets | FLOW_BUSY, packets | FLOW_CLOSED | FLOW_BUSY);
}

static __always_inline void
tell_progress(struct wire_flow *flow, __u64 now_ns)
{
	struct wire_counters *c = seen(WIRE_FLOW);
	struct wire_flow *r;
	__u64 bytes, packets;

	if (!c || !(r = record(c, ring_bulk, FLOW, struct wire_flow)))
		return;
	copy_flow(r, flow, WIRE_MOMENT_UPDATE);
	bytes = r->bytes;
	packets = r->packets;
	emit(r, &ring_bulk, false);
	flow->told_bytes = bytes;
	flow->told_packets = packets;
	flow->head.time_ns = now_ns;
}

/* With the flow marked as busy. */
static __always_inline void
look(struct wire_flow *flow, __u64 packets, const struct wire_settings *s)
{
	__u64 now_ns = bpf_ktime_get_boot_ns();

	if (flow->flags & WIRE_FLOW_UNTOLD)
		tell_late(flow);
	if (flow->flags & WIRE_FLOW_UNTOLD || !has_room(ring_bulk))
		return;
	if (is_idle(flow, s, now_ns)) {
		if (claim_end(flow, packets))
			flow->flags |= WIRE_FLOW_IDLE;
		flow->head.sequence = packets;
	} else if (is_due(flow, s, now_ns)) {
		tell_progress(flow, now_ns);
	}
}

/* Whoever closed it meanwhile, here or elsewhere, has left the telling to us: now or in a later
 * pass. */
static __always_inline void
work(const void *element_key, const struct wire_settings *s)
{
	struct flow_key key = *(const struct flow_key *)element_key;
	struct wire_flow *flow = bpf_map_lookup_elem(&flows, &key);
	__u64 packets;

	if (!flow)
		return;
	packets = fetch_set(&flow->packets, FLOW_BUSY);
	if (packets & FLOW_CLOSED)
		return;
	look(flow, packets, s);
	if (!(fetch_clear(&flow->packets, FLOW_BUSY) & FLOW_CLOSED) || flow_close(&key, flow))
		return;
	flow->flags |= WIRE_FLOW_ENDLESS;
	fetch_clear(&flow->packets, FLOW_CLOSED);
}

SEC("iter/bpf_map_elem")
int
flow_sweep(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct wire_settings *s = settings_get();
	const struct wire_flow *flow = ctx->value;
	const void *key = ctx->key;
	__u64 now_ns = bpf_ktime_get_boot_ns();
	__u8 one = 1;

	if (!key || !flow || !s)
		return 0;
	bpf_seq_write(ctx->meta->seq, &one, sizeof(one));
	if (flow->flags & WIRE_FLOW_UNTOLD || is_idle(flow, s, now_ns) || is_due(flow, s, now_ns))
		work(key, s);
	return 0;
}
