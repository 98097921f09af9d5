/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exit - a process ended. */
#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/life.h"

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_exit *exit = (const void *)head;

	if (head->size < offsetof(struct wire_exit, program))
		return -EBADMSG;
	decode_task(event, &exit->task);
	decode_program(event, head, offsetof(struct wire_exit, program));
	if (WIFEXITED(exit->status))
		event->exit_code = WEXITSTATUS(exit->status);
	else if (WIFSIGNALED(exit->status))
		event->exit_signal = WTERMSIG(exit->status);
	return 0;
}

static const struct field fields[] = {
	LIFE_HEAD_ROWS,
	BOOT_ROW,
	FIELD(INT, "exit_signal", exit_signal, AT(EVENT_DATA, "exit_signal"),
	      "number of the signal that ended it", ),
	EVENT_ROWS,
	MORE_ROWS,
	JUDGED_ROWS,
	FIELD(INT, "exit_code", exit_code, TOP("exit_code"), "what it returned, 0 to 255", ),
	LIFE_TAIL_ROWS,
	END_ROW,
};

static int
activity_id(const struct event *event)
{
	(void)event;
	return LIFE_TERMINATE;
}

const struct event_type event_exit = {
	.name = "exit",
	.kind = WIRE_EXIT,
	.sentence = "a process ended",
	.class_uid = 1007,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
