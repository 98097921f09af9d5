/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rule_fuzz - a rule file from anywhere is refused with its place, or works. */
#include <stdint.h>
#include <stdlib.h>

#include "rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rule *hits[RULE_HITS];
	struct ruleset *rules = NULL;
	struct error why = {0};
	struct event event;
	size_t run;

	if (ruleset_parse(&rules, (const char *)data, size, &why) < 0) {
		if (rules || !why.text[0])
			abort();
		return 0;
	}
	ruleset_warn(rules, 0, NULL, NULL);
	ruleset_test(rules, NULL, NULL, &run);
	event_init(&event, &event_flow);
	event.role = "client";
	event.dst = ip_from_v4(0xcb007109);
	ruleset_match(rules, &event, hits, RULE_HITS);
	ruleset_free(rules);
	return 0;
}
