/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* judgement - from hits to what an event says about itself. */
#include "rule/ruleset.h"

enum rule_verdict
hits_verdict(const struct rule *const *hits, size_t count)
{
	enum rule_verdict worst = VERDICT_ALLOWED;
	size_t i;

	if (!count)
		return VERDICT_UNKNOWN;
	for (i = 0; i < count; i++)
		if (hits[i]->verdict > worst)
			worst = hits[i]->verdict;
	return worst;
}

/* What no rule speaks of is no alert, but where it isn't allowed it stands out a little. */
static enum rule_level
level_without_rule(enum rule_verdict verdict)
{
	return verdict == VERDICT_ALLOWED ? LEVEL_INFORMATIONAL : LEVEL_LOW;
}

void
judgement_fill(struct event *event, const struct ruleset *rules, const struct rule *rule,
	       enum rule_verdict verdict)
{
	enum rule_level level = rule ? rule->level : level_without_rule(verdict);

	event->judgement = (struct event_judgement){
		.verdict = rule_verdict_name(verdict),
		.rule = rule ? rule->id : NULL,
		.title = rule ? rule->title : NULL,
		.level = rule_level_name(level),
		.severity = level,
		.alert = rule && rule->action != ACTION_RECORD,
		.tags = rule && rule->tags[0] ? rule->tags : NULL,
		.policy = rules->info.id,
		.policy_version = rules->info.version,
		.policy_digest = rules->info.digest,
		.count = ABSENT,
		.first_ms = ABSENT,
		.last_ms = ABSENT,
	};
}
