/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_helper.h - a carry file in a folder of its own. */
#ifndef CARRY_HELPER_H
#define CARRY_HELPER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"

#define BOOT   "11111111-2222-3333-4444-555555555555"
#define REBOOT "66666666-7777-8888-9999-000000000000"
#define MEBI   ((size_t)1024 * 1024)

struct place {
	char folder[64];
	char path[96];
};

static inline int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	snprintf(place->folder, sizeof(place->folder), "/tmp/demarc-carry-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/a.carry", place->folder);
	*state = place;
	return 0;
}

static inline int
teardown(void **state)
{
	struct place *place = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s.new", place->path);
	unlink(path);
	unlink(place->path);
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static inline struct carry *
open_carry(const struct place *place, const char *boot)
{
	struct carry *carry = NULL;
	struct error why = {0};

	if (carry_open(&carry, place->path, boot, &why) < 0)
		fail_msg("%s", why.text);
	return carry;
}

static inline struct carry_state
state_of(const struct carry *carry)
{
	struct carry_state state;

	carry_state(carry, &state);
	return state;
}

#endif /* CARRY_HELPER_H */
