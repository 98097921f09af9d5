/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * agent_carry - what outlives a killed agent: kept at the end of each turn, written by the next.
 *
 * A fold that is owed is two values: the entry that began it, its privacy modes
 * applied, in the journal's own form, which every later build can read; and its
 * totals. The next agent makes them the fold's last entry. Both go from the carry in
 * the same turn in which that entry is admitted, so it is written once.
 */
#include <errno.h>
#include <string.h>

#include "agent_private.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#define PATIENCE_NS    UINT64_C(1000000000) /* how long turns wait for room to be kept in */
#define OWED_BYTES_MAX 4096

/*
 * The end of a turn
 * -----------------
 */

static void
keep_first(struct agent *agent, uint64_t id, const struct event *first)
{
	const struct event_stamp stamp = {.boot_id = agent->boot_id};
	struct buf json cleanup(buf_fini) = {0};

	event_write(&json, first, &stamp, &agent->privacy);
	carry_put(agent->carry, CARRY_FIRST, id, json.data, json.length);
}

/* What opened a fold is in the journal's form already. */
void
agent_keep_opened(struct agent *agent)
{
	uint64_t id = agent->carry && agent->written ? folds_opened(agent->folds) : 0;

	if (id)
		carry_put(agent->carry, CARRY_FIRST, id, agent->written, agent->written_bytes);
}

static void
keep_fold(const struct fold_change *change, void *arg)
{
	struct agent *agent = arg;

	if (!change->owed) {
		carry_drop(agent->carry, CARRY_FOLD, change->id);
		carry_drop(agent->carry, CARRY_FIRST, change->id);
		return;
	}
	if (change->first)
		keep_first(agent, change->id, change->first);
	carry_put(agent->carry, CARRY_FOLD, change->id, change->owed, sizeof(*change->owed));
}

static void
keep_shed(struct agent *agent, enum shed_cause cause)
{
	const struct shed *shed = &agent->sheds[cause];
	struct shed *kept = &agent->sheds_kept[cause];

	if (shed->count ? !memcmp(shed, kept, sizeof(*shed)) : !kept->count)
		return;
	*kept = *shed;
	if (shed->count)
		carry_put(agent->carry, CARRY_SHED, cause, shed, sizeof(*shed));
	else
		carry_drop(agent->carry, CARRY_SHED, cause);
}

static int
keep(struct agent *agent)
{
	int error;

	journal_keep(agent->journal);
	folds_changes(agent->folds, keep_fold, agent);
	for (enum shed_cause cause = 0; cause < SHED_CAUSES; cause++)
		keep_shed(agent, cause);
	error = carry_commit(agent->carry);
	if (!error && agent->unkept_said)
		log_info("carry", "what is owed is kept again");
	if (!error) {
		agent->unkept_ns = 0;
		agent->unkept_said = false;
	} else if (!agent->unkept_ns) {
		agent->unkept_ns = clock_boot_ns();
	}
	return error;
}

static bool
is_given_up(const struct agent *agent)
{
	return agent->unkept_ns && clock_boot_ns() - agent->unkept_ns > PATIENCE_NS;
}

int
agent_commit(struct agent *agent)
{
	int error;

	if (!agent->journal)
		return 0;
	error = agent->carry ? keep(agent) : 0;
	if (error && !is_given_up(agent))
		return error;
	journal_commit(agent->journal);
	return 0;
}

static void
say_unkept(struct agent *agent)
{
	struct carry_state state;
	char text[WIRE_TEXT_BYTES];

	carry_state(agent->carry, &state);
	snprintf(
		text, sizeof(text),
		"what is owed cannot be kept: %s; until it can, an agent that is killed loses what "
		"it has read and not written",
		strerror(state.failing));
	log_error("carry", "%s", text);
	agent_say(agent, WIRE_LIFE_COVERAGE, text);
	agent->unkept_said = true;
}

/*
 * The next start
 * --------------
 */

static void
note_id(uint64_t id, const void *bytes, size_t length, void *arg)
{
	(void)bytes;
	(void)length;
	buf_add(arg, &id, sizeof(id));
}

uint64_t
agent_next_fold(const struct agent *agent)
{
	struct buf ids cleanup(buf_fini) = {0};
	uint64_t last = 0;

	if (!agent->carry)
		return 0;
	carry_each(agent->carry, CARRY_FIRST, note_id, &ids);
	if (ids.length)
		memcpy(&last, ids.data + ids.length - sizeof(last), sizeof(last));
	return last + 1;
}

static void
take_over_shed(struct agent *agent, enum shed_cause cause)
{
	struct shed shed = {0};

	if (carry_get(agent->carry, CARRY_SHED, cause, &shed, sizeof(shed)) > 0)
		agent->sheds_kept[cause] = agent->sheds[cause] = shed;
	if (!carry_same_boot(agent->carry))
		agent->sheds[cause].since_ns = 0;
}

void
agent_take_over(struct agent *agent)
{
	struct journal_state journal;

	if (!agent->carry)
		return;
	carry_each(agent->carry, CARRY_FIRST, note_id, &agent->owed);
	for (enum shed_cause cause = 0; cause < SHED_CAUSES; cause++)
		take_over_shed(agent, cause);
	journal_state(agent->journal, &journal);
	agent->sheds[SHED_ANY].count += journal.unrestored;
}

/* -EAGAIN: the journal has no room for it now. */
static int
settle(struct agent *agent, uint64_t id)
{
	static const struct privacy as_is; /* it was applied when the fold was kept */
	struct buf json cleanup(buf_fini) = {0}, store cleanup(buf_fini) = {0};
	unsigned char owed[OWED_BYTES_MAX];
	struct event event = {0};
	struct error why = {0};
	long length = carry_get(agent->carry, CARRY_FOLD, id, owed, sizeof(owed));
	long first = carry_get(agent->carry, CARRY_FIRST, id, NULL, 0);
	char *room = first > 0 ? buf_reserve(&json, (size_t)first) : NULL;
	int error = -EBADMSG;

	if (room && length > 0 && length <= OWED_BYTES_MAX &&
	    carry_get(agent->carry, CARRY_FIRST, id, room, (size_t)first) == first)
		error = event_read(&event, &store, room, (size_t)first, &why);
	if (!error)
		error = fold_complete(&event, owed, (size_t)length);
	if (error)
		log_error("carry", "an entry that the last agent owed cannot be read: %s",
			  *why.text ? why.text : strerror(-error));
	else if (!agent_write(agent, &event, &as_is, carry_boot_id(agent->carry)))
		return -EAGAIN;
	else if (!agent_write_finding(agent, &event, &as_is, carry_boot_id(agent->carry)))
		agent_count_shed(agent);
	agent->sheds[SHED_ANY].count += error != 0;
	agent->state.owed += !error;
	carry_drop(agent->carry, CARRY_FOLD, id);
	carry_drop(agent->carry, CARRY_FIRST, id);
	return 0;
}

void
agent_resume(struct agent *agent)
{
	uint64_t id;

	while (agent->owed_at < agent->owed.length) {
		memcpy(&id, agent->owed.data + agent->owed_at, sizeof(id));
		if (settle(agent, id) < 0)
			return;
		agent->owed_at += sizeof(id);
	}
	buf_fini(&agent->owed);
	agent->owed = (struct buf){0};
	agent->owed_at = 0;
}

void
agent_tend_carry(struct agent *agent)
{
	if (!agent->carry)
		return;
	carry_touch(agent->carry);
	agent_resume(agent);
	if (is_given_up(agent) && !agent->unkept_said)
		say_unkept(agent);
}

/* What an entry tells may have happened this long before it was written. */
#define ENTRY_LAG_MS 1000

int64_t
agent_left_ms(const struct agent *agent)
{
	struct journal_state journal = {0};
	struct carry_state carry = {0};

	if (agent->journal)
		journal_state(agent->journal, &journal);
	if (agent->carry)
		carry_state(agent->carry, &carry);
	if ((!carry.left_ms || carry.dropped_bytes) && journal.last_logged_ms)
		/* what waited for the disk, and in folds, is lost */
		return journal.last_logged_ms - ENTRY_LAG_MS -
		       (int64_t)agent->config->journal_fold_s * 1000;
	return carry.left_ms > journal.last_logged_ms ? carry.left_ms : journal.last_logged_ms;
}

void
agent_say_gone(struct agent *agent)
{
	struct journal_state journal = {0};
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = clock_boot_ns()},
		.loss = WIRE_LOSS_GONE,
		.to_ns = clock_boot_ns(),
	};

	if (agent->journal)
		journal_state(agent->journal, &journal);
	gap.count = journal.gone;
	if (gap.count)
		agent_record(&gap.head, agent);
}
