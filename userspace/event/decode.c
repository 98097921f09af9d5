/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* decode.c - from wire structs to struct event: the parts that kinds share. */
#include "event/decode.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define UNSET_U32 4294967295u /* what the kernel says for "no login" */

static const char *const bases[] = {
	[WIRE_BASIS_UNKNOWN] = "unknown", [WIRE_BASIS_CONNECT] = "connect",
	[WIRE_BASIS_CREATE] = "create",   [WIRE_BASIS_LISTENER] = "listener",
	[WIRE_BASIS_SENDER] = "sender",   [WIRE_BASIS_HOLDER] = "holder",
};

struct ip
decode_ip(const struct wire_addr *addr)
{
	struct ip ip;

	memcpy(ip.bytes, addr->ip, sizeof(ip.bytes));
	return ip;
}

static bool
has_ports(unsigned int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

int64_t
decode_port(unsigned int port, unsigned int protocol)
{
	return port || has_ports(protocol) ? (int64_t)port : ABSENT;
}

const char *
decode_comm(struct event *event, const char comm[WIRE_COMM_BYTES])
{
	size_t length = strnlen(comm, WIRE_COMM_BYTES);

	return length ? event_keep(event, comm, length) : NULL;
}

void
decode_owner(struct event *event, const struct wire_owner *owner)
{
	unsigned int basis = owner->basis;

	if (basis >= sizeof(bases) / sizeof(bases[0]))
		basis = WIRE_BASIS_UNKNOWN;
	event->basis = bases[basis];
	if (basis == WIRE_BASIS_UNKNOWN)
		return;
	event->process.pid = owner->pid;
	event->process.uid = owner->uid;
	event->process.gid = owner->gid;
	event->process.cgroup = decode_unless(owner->cgroup, 0);
	event->process.name = decode_comm(event, owner->comm);
	event->noted_ns = decode_unless(owner->noted_ns, 0);
}

void
decode_program(struct event *event, const struct wire_head *head, size_t offset)
{
	const struct wire_program *program = (const void *)((const char *)head + offset);

	if (head->size < offset + sizeof(*program) || !program->execs)
		return;
	event->process.execs = program->execs;
	event->process.parent_execs = decode_unless(program->parent_execs, 0);
	event->process.parent_started_ns = decode_unless(program->parent_started_ns, 0);
}

void
decode_started(struct event *event, const struct wire_head *head, size_t offset)
{
	const __u64 *started_ns = (const void *)((const char *)head + offset);

	if (head->size >= offset + sizeof(*started_ns) && event->process.pid != ABSENT)
		event->process.started_ns = decode_unless(*started_ns, 0);
}

void
decode_task(struct event *event, const struct wire_task *task)
{
	struct event_process *process = &event->process;

	process->pid = task->pid;
	process->ppid = task->ppid;
	process->uid = task->uid;
	process->gid = task->gid;
	process->loginuid = decode_unless(task->loginuid, UNSET_U32);
	process->session = decode_unless(task->session, UNSET_U32);
	process->started_ns = decode_unless(task->started_ns, 0);
	process->cgroup = decode_unless(task->cgroup, 0);
	process->net_ns = decode_unless(task->net_ns, 0);
	process->name = decode_comm(event, task->comm);
}

void
decode_protocol(struct event *event, unsigned int number)
{
	event->protocol = number;
	event->protocol_name = protocol_name((uint8_t)number);
}

int
decode_slice(struct event *event, const struct wire_head *head, struct wire_slice slice,
	     const char **out)
{
	const char *bytes = (const char *)head + slice.offset;
	size_t length = slice.length;
	size_t from = event->scratch_used;
	const char *kept;

	if ((size_t)slice.offset + length > head->size)
		return -EBADMSG;
	while (length && !bytes[length - 1])
		length--;
	*out = NULL;
	if (!length)
		return 0;
	kept = event_keep(event, bytes, length);
	for (size_t i = from; i + 1 < event->scratch_used; i++)
		if (!event->scratch[i])
			event->scratch[i] = ' ';
	*out = kept;
	return 0;
}
