/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork - a process began. */
#include <errno.h>
#include <stddef.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/life.h"

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_fork *fork = (const void *)head;

	if (head->size < offsetof(struct wire_fork, program))
		return -EBADMSG;
	decode_task(event, &fork->task);
	decode_program(event, head, offsetof(struct wire_fork, program));
	return 0;
}

static const struct field fields[] = {
	LIFE_HEAD_ROWS, BOOT_ROW, EVENT_ROWS, MORE_ROWS, JUDGED_ROWS, LIFE_TAIL_ROWS, END_ROW,
};

static int
activity_id(const struct event *event)
{
	(void)event;
	return LIFE_LAUNCH;
}

const struct event_type event_fork = {
	.name = "fork",
	.kind = WIRE_FORK,
	.sentence = "a process began",
	.class_uid = 1007,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
