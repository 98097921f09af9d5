/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* names - the words for levels, actions and verdicts. */
#include "rule.h"

const char *
rule_level_name(enum rule_level level)
{
	switch (level) {
	case LEVEL_INFORMATIONAL:
		return "informational";
	case LEVEL_LOW:
		return "low";
	case LEVEL_MEDIUM:
		return "medium";
	case LEVEL_HIGH:
		return "high";
	case LEVEL_CRITICAL:
		return "critical";
	}
	return "unknown";
}

const char *
rule_verdict_name(enum rule_verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOWED:
		return "allowed";
	case VERDICT_CONDITIONAL:
		return "conditional";
	case VERDICT_UNKNOWN:
		return "unknown";
	case VERDICT_VIOLATION:
		return "violation";
	}
	return "unknown";
}

const char *
rule_action_name(enum rule_action action)
{
	switch (action) {
	case ACTION_RECORD:
		return "record";
	case ACTION_ALERT:
		return "alert";
	case ACTION_DENY:
		return "deny";
	}
	return "unknown";
}
