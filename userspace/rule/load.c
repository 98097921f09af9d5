/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* load - rules from a file: the one place of rule/ that opens one. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule/ruleset.h"

#define RULES_FILE_BYTES (64u << 20)

int
ruleset_load(struct ruleset **rules, const char *path, struct error *why)
{
	struct buf text cleanup(buf_fini) = {0};
	struct ruleset *loaded;
	int rc;

	snprintf(why->file, sizeof(why->file), "%s", path);
	why->line = why->column = 0;
	rc = buf_read_file(&text, path, RULES_FILE_BYTES);
	if (rc < 0)
		return error_set(why, rc, "cannot read the rules: %s", strerror(-rc));
	rc = ruleset_parse(&loaded, buf_text(&text), text.length, why);
	if (rc < 0)
		return rc;
	snprintf(loaded->file, sizeof(loaded->file), "%s", path);
	*rules = loaded;
	return 0;
}
