/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* exec - a process replaced its program. */
#include <errno.h>
#include <stddef.h>

#include "event/decode.h"
#include "event/fields.h"
#include "event/life.h"

static int
decode(struct event *event, const struct wire_head *head)
{
	const struct wire_exec *exec = (const void *)head;
	struct event_process *process = &event->process;

	if (head->size < offsetof(struct wire_exec, program))
		return -EBADMSG;
	decode_task(event, &exec->task);
	if (exec->flags & WIRE_EXEC_PROGRAM)
		decode_program(event, head, offsetof(struct wire_exec, program));
	event->seeded = exec->flags & WIRE_EXEC_SEEDED;
	if (decode_slice(event, head, exec->exe, &process->exe) < 0 ||
	    decode_slice(event, head, exec->argv, &process->argv) < 0 ||
	    decode_slice(event, head, exec->cgroup_path, &process->cgroup_path) < 0)
		return -EBADMSG;
	return 0;
}

static const struct field fields[] = {
	LIFE_HEAD_ROWS,
	BOOT_ROW,
	FIELD(BOOL, "seeded", seeded, AT(EVENT_DATA, "seeded"),
	      "true: it was there before the agent", ),
	EVENT_ROWS,
	MORE_ROWS,
	JUDGED_ROWS,
	LIFE_TAIL_ROWS,
	END_ROW,
};

static int
activity_id(const struct event *event)
{
	(void)event;
	return LIFE_LAUNCH;
}

const struct event_type event_exec = {
	.name = "exec",
	.kind = WIRE_EXEC,
	.sentence = "a process replaced its program",
	.class_uid = 1007,
	.decode = decode,
	.fields = fields,
	.activity_id = activity_id,
};
