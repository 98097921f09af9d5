/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent - the pipeline: decode, context, place, match, journal, sinks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent_private.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "probes.h"

#define TURN_BYTES ((size_t)1024 * 1024) /* of entries; less than the caches hold */
#define TURN_FOLDS 512                   /* that began: an entry each for the carry */

/*
 * Writing
 * -------
 */

static int
admit(struct agent *agent, bool critical, int64_t wall_ms, struct event_stamp *stamp, char uid[33])
{
	stamp->node = agent->node;
	stamp->cluster = *agent->config->cluster ? agent->config->cluster : NULL;
	stamp->version = DEMARC_VERSION;
	if (agent->journal)
		return journal_admit(agent->journal, critical ? JOURNAL_CRITICAL : JOURNAL_BULK,
				     clock_wall_ms(), stamp);
	/* Replay: the same recording gives the same bytes. */
	snprintf(uid, 33, "%032llx", (unsigned long long)agent->sequence);
	stamp->uid = uid;
	stamp->sequence = agent->sequence++;
	stamp->log_name = "replay";
	stamp->logged_ms = wall_ms;
	return 0;
}

/* Returns the entry's ticket; 0 when the journal refused it. */
static uint64_t
add(struct agent *agent)
{
	return agent->journal ? journal_add(agent->journal) : agent->ticket + 1;
}

bool
agent_write(struct agent *agent, struct event *event, const struct privacy *privacy,
	    const char *boot_id)
{
	bool critical =
		event->judgement.alert || event->type == &event_gap || event->type == &event_agent;
	struct buf *bytes = agent->journal ? NULL : &agent->text;
	struct event_stamp stamp = {.boot_id = boot_id};
	struct delivery delivery = {.event = event};
	char uid[33];
	size_t start;
	int error;

	agent->written = NULL;
	error = admit(agent, critical, event->wall_ms, &stamp, uid);
	agent->cause = error == -EDQUOT ? SHED_QUOTA_BULK : SHED_SLOW_BULK;
	agent->cause += critical;
	if (error < 0)
		return false;
	snprintf(agent->written_uid, sizeof(agent->written_uid), "%s", stamp.uid);
	if (!bytes)
		bytes = journal_bytes(agent->journal);
	start = bytes->length;
	event_write(bytes, event, &stamp, privacy);
	delivery.length = bytes->length - start;
	delivery.ticket = add(agent);
	if (!delivery.ticket) {
		log_error("journal", "an entry of %zu bytes was refused", delivery.length);
		return true;
	}
	delivery.json = bytes->data + start;
	agent->written = delivery.json;
	agent->written_bytes = delivery.length;
	agent->ticket = delivery.ticket;
	agent->state.entries++;
	agent->state.alerts += event->judgement.alert && !event->subject;
	for (size_t i = 0; i < agent->sink_count; i++)
		agent->sinks[i]->ops->put(agent->sinks[i], &delivery);
	if (!agent->journal)
		buf_clear(bytes);
	return true;
}

bool
agent_write_finding(struct agent *agent, struct event *event, const struct privacy *privacy,
		    const char *boot_id)
{
	const struct event_type *type = event->type;
	char uid[sizeof(agent->written_uid)];
	bool is_taken;

	if (!agent->config->journal_findings || !event->judgement.alert || !agent->written)
		return true;
	memcpy(uid, agent->written_uid, sizeof(uid));
	event->type = &event_finding;
	event->subject = type;
	event->alert_uid = uid;
	is_taken = agent_write(agent, event, privacy, boot_id);
	event->type = type;
	event->subject = NULL;
	event->alert_uid = NULL;
	return is_taken;
}

/* Or it is refused and counted. */
static void
write_entry(struct agent *agent, struct event *event)
{
	if (!agent_write(agent, event, &agent->privacy, agent->boot_id) || !agent->written)
		agent_add_shed(agent, event);
	else if (event->judgement.phase)
		folds_name(agent->folds, agent->written_uid);
}

static void
write_finding(struct agent *agent, struct event *event)
{
	if (!agent_write_finding(agent, event, &agent->privacy, agent->boot_id))
		agent_count_shed(agent);
}

static void
write_folded(struct event *event, void *arg)
{
	write_entry(arg, event);
	write_finding(arg, event);
}

/*
 * Judging
 * -------
 */

/* Is it an entry although no rule matched? Forks and exits are context only. */
static bool
is_kept(const struct agent *agent, const struct event *event)
{
	if (event->type == &event_exec)
		return agent->config->journal_exec;
	return event->type != &event_fork && event->type != &event_exit;
}

/* Several rules may report one record: its bytes are told by the first, so that sums stay true. */
static void
forget_amounts(struct event *event)
{
	event->delta_bytes = ABSENT;
	event->delta_packets = ABSENT;
	event->lost_bytes = ABSENT;
	event->lost_packets = ABSENT;
}

static bool
has_destination(const struct event *event)
{
	return event->type == &event_flow || event->type == &event_connect;
}

/* An update of a flow in which nothing moved: only the folds want to know that it lives. */
static bool
is_still(const struct event *event)
{
	return event->type == &event_flow && event->delta_packets == 0 && event->moment &&
	       !strcmp(event->moment, "update");
}

/* No rule had anything to decide here: an entry for the record, but a hole is more than that. */
static void
clear_verdict(struct event *event)
{
	enum rule_level level = event->type == &event_gap ? LEVEL_MEDIUM : LEVEL_INFORMATIONAL;

	event->judgement.verdict = NULL;
	event->judgement.level = rule_level_name(level);
	event->judgement.severity = level;
}

/* One entry for each rule that matched; for none, one that says so. */
static void
report(struct agent *agent, struct event *event, const struct ruleset *rules,
       const struct rule *rule, enum rule_verdict verdict)
{
	bool offered, is_taken;

	judgement_fill(event, rules, rule, verdict);
	if (!rule && !has_destination(event))
		clear_verdict(event);
	if (agent->judge->observes && has_destination(event) && !event->dst_place.location &&
	    verdict == VERDICT_UNKNOWN)
		event->judgement.alert = false;
	if (is_still(event)) {
		folds_touch(agent->folds, event);
		return;
	}
	offered = agent->fold || event->judgement.alert;
	is_taken = offered && folds_offer(agent->folds, event) == FOLD_TAKEN;
	if (!is_taken)
		write_entry(agent, event);
	if (offered)
		agent_keep_opened(agent);
	if (!is_taken)
		write_finding(agent, event);
	forget_amounts(event);
}

void
agent_match(struct agent *agent, struct event *event)
{
	enum rule_verdict worst = VERDICT_ALLOWED;
	size_t total = 0;

	for (size_t i = 0; i < agent->judge->ruleset_count; i++) {
		const struct ruleset *rules = agent->judge->rulesets[i];
		const struct rule *hits[RULE_HITS];
		size_t count = recall_match(agent->judge->recalls[i], event, hits, RULE_HITS);
		enum rule_verdict verdict = hits_verdict(hits, count);

		total += count;
		if (count && verdict > worst)
			worst = verdict;
		for (size_t h = 0; h < count && h < RULE_HITS; h++)
			report(agent, event, rules, hits[h], verdict);
	}
	if (!total)
		worst = VERDICT_UNKNOWN;
	if (!total && is_kept(agent, event))
		report(agent, event, agent->judge->rulesets[0], NULL, worst);
	if (event->type == &event_flow && event->moment && !strcmp(event->moment, "open"))
		agent->state.verdicts[worst]++;
}

/* After the context, which knows the user's name that the recording must not hold. */
static void
keep_record(struct agent *agent, const struct wire_head *record, const struct event *event)
{
	if (agent->recorder && recorder_put_known(agent->recorder, record, event->process.user,
						  event->process.cgroup_path) < 0)
		agent->recorder = NULL; /* its error comes at close */
}

/* The five verbs. */
void
agent_record(const struct wire_head *record, void *arg)
{
	struct agent *agent = arg;
	struct event *event = &agent->event;

	agent->state.records++;
	if (event_decode(event, record) < 0) {
		agent->state.malformed++;
		return;
	}
	if (record->time_ns > agent->now_ns)
		agent->now_ns = record->time_ns;
	event_set_wall(event, agent->options.offset_ms);
	context_apply(agent->context, event);
	keep_record(agent, record, event);
	if (has_destination(event))
		place_recall_resolve(agent->judge->place_recall, &event->dst, event->wall_ms,
				     &event->dst_place);
	agent_match(agent, event);
}

void
agent_verdict(struct agent *agent, struct event *event, bool resolve, const char **verdict,
	      const char **rule)
{
	const struct rule *hits[RULE_HITS];
	enum rule_verdict worst = VERDICT_ALLOWED;

	if (resolve)
		place_resolve(agent->judge->places, &event->dst, event->wall_ms, &event->dst_place);
	*rule = NULL;
	for (size_t i = 0; i < agent->judge->ruleset_count; i++) {
		size_t count = ruleset_match(agent->judge->rulesets[i], event, hits, RULE_HITS);
		enum rule_verdict said = hits_verdict(hits, count);

		if (said < worst && *rule)
			continue;
		worst = said;
		*rule = count ? hits[0]->id : NULL;
	}
	*verdict = rule_verdict_name(worst);
}

void
agent_say(struct agent *agent, enum wire_life life, const char *text)
{
	struct {
		struct wire_agent agent;
		char text[WIRE_TEXT_BYTES];
	} record = {.agent = {.head = {.kind = WIRE_AGENT,
				       .size = sizeof(record),
				       .time_ns = agent->options.replay ? agent->now_ns
									: clock_boot_ns()},
			      .life = life}};

	record.agent.text.offset = sizeof(record.agent);
	record.agent.text.length = (uint16_t)strnlen(text, sizeof(record.text));
	memcpy(record.text, text, record.agent.text.length);
	agent_record(&record.agent.head, agent);
}

void
agent_say_gap(struct agent *agent, uint64_t from_ns, uint64_t to_ns)
{
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = to_ns},
		.loss = WIRE_LOSS_DOWN,
		.missing_kind = WIRE_FLOW,
		.from_ns = from_ns,
		.to_ns = to_ns,
	};

	agent_record(&gap.head, agent);
}

/* From the last sign of life, or from the boot if that was later. */
void
agent_say_down(struct agent *agent, uint64_t until_ns)
{
	int64_t left_ms = agent_left_ms(agent) - agent->options.offset_ms;
	uint64_t left_ns = left_ms > 0 ? (uint64_t)left_ms * 1000000 : 1000000;

	if (agent_left_ms(agent)) /* the wall clock may have stepped back since */
		agent_say_gap(agent, left_ns < until_ns ? left_ns : until_ns, until_ns);
}

/*
 * Turns
 * -----
 */

bool
agent_is_full(const struct agent *agent)
{
	return agent->journal && (journal_open_bytes(agent->journal) >= TURN_BYTES ||
				  folds_untold(agent->folds) >= TURN_FOLDS);
}

bool
agent_is_behind(const struct agent *agent)
{
	return agent->journal && journal_is_behind(agent->journal);
}

void
agent_publish(struct agent *agent)
{
	uint64_t safe = agent->journal ? journal_acknowledged(agent->journal) : agent->ticket;

	for (size_t i = 0; i < agent->sink_count; i++)
		agent->sinks[i]->ops->commit(agent->sinks[i], safe);
}

int
agent_drain(struct agent *agent)
{
	uint64_t added = agent->ticket;

	agent_commit(agent);
	if (agent->journal)
		agent->ticket = journal_close(take(agent->journal)); /* waits for the disk */
	agent_publish(agent);
	if (agent->carry)
		carry_commit(agent->carry); /* what is on disk is owed no more */
	return agent->ticket < added ? -EIO : 0;
}

bool
agent_tick(struct agent *agent, uint64_t now_ns)
{
	bool more;

	if (!agent->options.replay) {
		agent->options.offset_ms = clock_offset_ms();
		context_refresh(agent->context);
	}
	agent_tend_carry(agent);
	more = folds_sweep(agent->folds, now_ns, false, write_folded, agent);
	agent_tell_shed(agent, now_ns);
	if (agent->recorder)
		recorder_flush(agent->recorder);
	return more;
}

bool
agent_flush(struct agent *agent, uint64_t now_ns)
{
	bool more = folds_sweep(agent->folds, now_ns, true, write_folded, agent);

	agent_tell_shed(agent, now_ns);
	return more;
}

static int
learn(const struct wire_head *record, void *arg)
{
	agent_record(record, arg);
	return 0;
}

int
agent_seed(struct agent *agent, context_running_fn running, void *arg)
{
	const char *scope = agent->config->scope;
	char mount[512];

	if (!cgroup_mount_find(mount, sizeof(mount)))
		scope = scope_below(scope, mount);
	context_ask(agent->context, running, arg);
	return context_seed(agent->context, scope, learn, agent);
}
