/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* losses - tells what the kernel counted but could not hand over, each once. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "losses.h"
#include "sequence.h"

static const enum wire_total sums_told[] = {WIRE_TOTAL_TABLE_FULL_OWN,
					    WIRE_TOTAL_TABLE_FULL_FOREIGN};
#define SUMS (sizeof(sums_told) / sizeof(sums_told[0]))

struct losses {
	const struct probes *probes;
	unsigned int kinds; /* of each CPU in the counters, of this or another build */
	unsigned int sums;  /* of each CPU in the totals */
	struct sequences *sequences;
	uint64_t told_ns;
	struct wire_sum told[SUMS];
	uint64_t dropped_told[WIRE_KIND_MAX]; /* only where sequences are approximate */
	bool changed;
};

/* As it is kept under the complement of the set. The last array may grow. */
struct kept_sums {
	uint64_t told_ns;
	struct wire_sum told[SUMS];
	uint64_t dropped_told[WIRE_KIND_MAX];
};

/* Entries for each CPU in an array of the set. */
static int
width_of(const struct probes *probes, const char *name, unsigned int least, unsigned int *out)
{
	struct bpf_map_info info = {0};
	uint32_t info_bytes = sizeof(info);

	if (bpf_obj_get_info_by_fd(probes_map_fd(probes, name), &info, &info_bytes) < 0)
		return -errno;
	*out = info.max_entries / probes->cpus;
	return *out < least ? -EINVAL : 0;
}

int
losses_new(struct losses **out, const struct probes *probes)
{
	struct losses *made = calloc(1, sizeof(*made));
	int result;

	if (!made)
		return -ENOMEM;
	made->probes = probes;
	made->told_ns = clock_boot_ns();
	result = width_of(probes, "counters", 1, &made->kinds);
	if (!result)
		result = width_of(probes, "totals", sums_told[SUMS - 1] + 1, &made->sums);
	if (!result)
		result = sequences_new(&made->sequences, probes->cpus, made->kinds);
	if (result < 0) {
		free(made);
		return result;
	}
	*out = made;
	return 0;
}

void
losses_free(struct losses *losses)
{
	if (losses)
		sequences_free(losses->sequences);
	free(losses);
}

void
losses_note(struct losses *losses, const struct wire_head *record)
{
	sequence_note(losses->sequences, record);
}

static struct slot_counts
counts_of(unsigned int cpu, unsigned int kind, void *arg)
{
	const struct losses *losses = arg;
	const struct wire_counters *c = &losses->probes->counters[cpu * losses->kinds + kind];
	struct slot_counts counts;

	counts.dropped = __atomic_load_n(&c->dropped, __ATOMIC_ACQUIRE);
	counts.issued = __atomic_load_n(&c->issued, __ATOMIC_ACQUIRE);
	return counts;
}

static struct wire_sum
sum_of(const struct losses *losses, enum wire_total total)
{
	struct wire_sum sum = {0};

	for (unsigned int cpu = 0; cpu < losses->probes->cpus; cpu++) {
		const volatile struct wire_sum *part =
			&losses->probes->totals[cpu * losses->sums + total];

		sum.flows += part->flows;
		sum.packets += part->packets;
		sum.bytes += part->bytes;
		sum.wire_bytes += part->wire_bytes;
	}
	return sum;
}

static uint64_t
dropped_of(struct losses *losses, unsigned int kind)
{
	uint64_t dropped = 0;

	for (unsigned int cpu = 0; cpu < losses->probes->cpus; cpu++)
		dropped += counts_of(cpu, kind, losses).dropped;
	return dropped;
}

static struct wire_gap
gap_since(const struct losses *losses, uint32_t loss, uint32_t kind, uint64_t now_ns)
{
	return (struct wire_gap){
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(struct wire_gap),
			 .cpu = UINT32_MAX,
			 .time_ns = now_ns},
		.loss = loss,
		.missing_kind = kind,
		.from_ns = losses->told_ns,
		.to_ns = now_ns,
	};
}

/* Flows that met a full table. */
static void
tell_overflow(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg)
{
	for (size_t i = 0; i < SUMS; i++) {
		struct wire_gap gap = gap_since(losses, WIRE_LOSS_TABLE, WIRE_FLOW, now_ns);
		struct wire_sum now = sum_of(losses, sums_told[i]), *told = &losses->told[i];

		gap.count = now.flows - told->flows;
		gap.bytes = now.bytes - told->bytes;
		gap.packets = now.packets - told->packets;
		if (gap.count || gap.packets)
			fn(&gap.head, arg);
		*told = now;
	}
}

static unsigned int
kinds_known(const struct losses *losses)
{
	return losses->kinds < WIRE_KIND_MAX ? losses->kinds : WIRE_KIND_MAX;
}

/* Without exact sequence numbers a hole shows only as a number of drops. */
static void
tell_dropped(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg)
{
	for (unsigned int kind = 0; kind < kinds_known(losses); kind++) {
		struct wire_gap gap = gap_since(losses, WIRE_LOSS_RING, kind, now_ns);
		uint64_t dropped = dropped_of(losses, kind);

		gap.count = dropped - losses->dropped_told[kind];
		losses->dropped_told[kind] = dropped;
		if (gap.count)
			fn(&gap.head, arg);
	}
}

void
losses_tell(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg)
{
	if (!losses->probes->approximate)
		sequence_gaps(losses->sequences, false, now_ns, counts_of, losses, fn, arg);
}

void
losses_tell_sums(struct losses *losses, bool empty, uint64_t now_ns, record_fn fn, void *arg)
{
	tell_overflow(losses, now_ns, fn, arg);
	if (losses->probes->approximate)
		tell_dropped(losses, now_ns, fn, arg);
	else if (empty)
		sequence_ends(losses->sequences, now_ns, counts_of, losses);
	losses->told_ns = now_ns;
	losses->changed = true;
}

void
losses_tell_all(struct losses *losses, uint64_t now_ns, record_fn fn, void *arg)
{
	losses_tell_sums(losses, false, now_ns, fn, arg);
	if (!losses->probes->approximate)
		sequence_gaps(losses->sequences, true, now_ns, counts_of, losses, fn, arg);
}

void
losses_skip(struct losses *losses, uint64_t now_ns)
{
	for (size_t i = 0; i < SUMS; i++)
		losses->told[i] = sum_of(losses, sums_told[i]);
	for (unsigned int kind = 0; kind < kinds_known(losses); kind++)
		losses->dropped_told[kind] = dropped_of(losses, kind);
	sequences_skip(losses->sequences, now_ns, counts_of, losses);
	losses->told_ns = now_ns;
	losses->changed = true;
}

static void
put_slot(uint64_t id, const void *bytes, size_t length, void *arg)
{
	carry_put(arg, CARRY_SLOT, id, bytes, length);
}

static void
drop_slot(uint64_t id, const void *bytes, size_t length, void *arg)
{
	(void)bytes;
	(void)length;
	carry_drop(arg, CARRY_SLOT, id);
}

void
losses_keep(struct losses *losses, struct carry *carry, uint64_t set)
{
	struct kept_sums kept = {.told_ns = losses->told_ns};

	sequences_keep(losses->sequences, set, put_slot, carry);
	if (!losses->changed)
		return;
	memcpy(kept.told, losses->told, sizeof(kept.told));
	memcpy(kept.dropped_told, losses->dropped_told, sizeof(kept.dropped_told));
	carry_put(carry, CARRY_RINGS, ~set, &kept, sizeof(kept));
	losses->changed = false;
}

void
losses_drop(struct losses *losses, struct carry *carry, uint64_t set)
{
	sequences_names(losses->sequences, set, drop_slot, carry);
	carry_drop(carry, CARRY_RINGS, ~set);
}

struct restoring {
	struct losses *losses;
	uint64_t set;
};

/* Slots of other sets lie beside ours: those are refused. */
static void
restore_slot(uint64_t id, const void *bytes, size_t length, void *arg)
{
	const struct restoring *restoring = arg;

	(void)sequences_restore(restoring->losses->sequences, restoring->set, id, bytes, length);
}

void
losses_restore(struct losses *losses, const struct carry *carry, uint64_t set)
{
	struct restoring restoring = {losses, set};
	struct kept_sums kept = {0};

	carry_each(carry, CARRY_SLOT, restore_slot, &restoring);
	if (carry_get(carry, CARRY_RINGS, ~set, &kept, sizeof(kept)) <
	    (long)offsetof(struct kept_sums, dropped_told))
		return;
	losses->told_ns = kept.told_ns;
	memcpy(losses->told, kept.told, sizeof(losses->told));
	memcpy(losses->dropped_told, kept.dropped_told, sizeof(losses->dropped_told));
}
