/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * text - records as people write them, one a line:
 *
 *	!record offset=2026-11-01T00:00:00Z node=n1 boot=b1
 *	# seconds since boot, kind, bare words and key=value
 *	1.000 exec    pid=41 ppid=1 uid=33 exe=/usr/bin/python3 comm=python3 cgroup=7
 *	1.200 flow    open pid=41 src=10.0.0.5:40112 dst=203.0.113.9:4444 proto=tcp
 *		      role=client bytes=60 packets=1 cookie=5	(all in one line)
 *	1.900 flow    close cookie=5 bytes=1200 packets=7
 *	2.000 connect pid=41 dst=[2001:db8::1]:443 proto=tcp error=ECONNREFUSED
 *	2.100 exit    pid=41 code=1
 *	2.200 gap     loss=ring kind=flow count=5
 *	2.300 agent   life=start text="a sentence"
 *
 * "offset" is the wall time at boot. Values with blanks stand in quotes; in any
 * value \xNN is a byte, and \\ \" \n \t are what they are in C. A line needs not
 * repeat what is known: a process keeps its ids, name and cgroup from its fork or
 * exec until its exit, a flow everything from the line before with its cookie, and
 * what the updates before have told goes into told_bytes and told_packets.
 * text_keys.c has the keys of each kind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/cleanup.h"
#include "source/text.h"
#include "source/text_keys.h"
#include "source/text_line.h"

#define UNSET UINT32_MAX

struct known_task {
	uint32_t pid;
	struct wire_task task;
	UT_hash_handle hh;
};

struct known_flow {
	uint64_t cookie;
	struct wire_flow flow;
	UT_hash_handle hh;
};

struct reader {
	struct buf *out;
	struct recording_header *header;
	struct error *why;
	bool began; /* a record was read: too late for a header */
	struct text_line line;
	struct known_task *tasks;
	struct known_flow *flows;
	uint64_t sequences[WIRE_KIND_MAX];
};

static void
reader_fini(struct reader *reader)
{
	struct known_task *task, *next_task;
	struct known_flow *flow, *next_flow;

	HASH_ITER (hh, reader->tasks, task, next_task) {
		HASH_DELETE(hh, reader->tasks, task);
		free(task);
	}
	HASH_ITER (hh, reader->flows, flow, next_flow) {
		HASH_DELETE(hh, reader->flows, flow);
		free(flow);
	}
}

/*
 * The header line
 * ---------------
 */

/* "2026-11-01T00:00:00Z", or a number of milliseconds. */
static int
read_offset(int64_t *out, const char *text, struct error *why)
{
	struct tm wall = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &wall);
	uint64_t number;
	int result;

	if (end && !*end) {
		*out = (int64_t)timegm(&wall) * 1000;
		return 0;
	}
	if (strpbrk(text, "-:TZ"))
		return error_set(why, -EINVAL, "'%.60s' is not a time like 2026-11-01T00:00:00Z",
				 text);
	result = text_number(&number, text, INT64_MAX, why);
	if (!result)
		*out = (int64_t)number;
	return result;
}

static int
read_name(char *out, size_t room, struct text_value value, struct error *why)
{
	if (value.length >= room)
		return error_set(why, -EINVAL, "%zu bytes; at most %zu", value.length, room - 1);
	strcpy(out, value.bytes);
	return 0;
}

static int
set_header(struct reader *reader, const struct text_token *token)
{
	static const char *const keys[] = {"offset", "node", "boot"};
	struct recording_header *header = reader->header;
	const char *near;

	reader->why->column = token->value_column;
	if (token->value.bytes && !strcmp(token->key, "offset"))
		return read_offset(&header->offset_ms, token->value.bytes, reader->why);
	if (token->value.bytes && !strcmp(token->key, "node"))
		return read_name(header->node, sizeof(header->node), token->value, reader->why);
	if (token->value.bytes && !strcmp(token->key, "boot"))
		return read_name(header->boot_id, sizeof(header->boot_id), token->value,
				 reader->why);
	reader->why->column = token->column;
	near = nearest_word(token->key, keys, sizeof(keys) / sizeof(keys[0]));
	return error_set(reader->why, -EINVAL, "no key '%.60s' of !record%s%s%s", token->key,
			 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int
read_header(struct reader *reader)
{
	int result = 0;
	size_t i;

	reader->why->column = reader->line.tokens[0].column;
	if (strcmp(reader->line.tokens[0].key, "!record"))
		return error_set(reader->why, -EINVAL, "the only line with '!' is !record");
	if (reader->began)
		return error_set(reader->why, -EINVAL, "!record must come before the records");
	for (i = 1; i < reader->line.count && !result; i++)
		result = set_header(reader, &reader->line.tokens[i]);
	return result;
}

/*
 * Records
 * -------
 */

static uint64_t
number_of(const struct reader *reader, const char *key)
{
	const struct text_token *token = text_find(&reader->line, key);
	struct error ignored; /* it is said when the key is read */
	uint64_t number;

	if (!token || !token->value.bytes ||
	    text_number(&number, token->value.bytes, UINT64_MAX, &ignored) < 0)
		return 0;
	return number;
}

static const struct wire_task *
task_of(const struct reader *reader, const char *key)
{
	uint32_t pid = (uint32_t)number_of(reader, key);
	struct known_task *known;

	HASH_FIND(hh, reader->tasks, &pid, sizeof(pid), known);
	return known ? &known->task : NULL;
}

/* What a line of a process need not say: what is known of it, or for a fork of its parent. */
static void
expect_task(const struct reader *reader, struct wire_task *out, const struct wire_head *head)
{
	const struct wire_task *known = task_of(reader, head->kind == WIRE_FORK ? "ppid" : "pid");

	*out = (struct wire_task){.loginuid = UNSET, .session = UNSET};
	if (known)
		*out = *known;
	if (!known || head->kind == WIRE_FORK) {
		out->pid = 0;
		out->started_ns = head->time_ns;
	}
}

static void
expect_owner(const struct reader *reader, struct wire_owner *out, uint64_t time_ns)
{
	const struct wire_task *known = task_of(reader, "pid");

	if (!text_find(&reader->line, "pid"))
		return;
	out->basis = WIRE_BASIS_CONNECT;
	out->noted_ns = time_ns;
	if (!known)
		return;
	out->uid = known->uid;
	out->gid = known->gid;
	out->cgroup = known->cgroup;
	memcpy(out->comm, known->comm, sizeof(out->comm));
}

static void
expect_flow(const struct reader *reader, struct wire_flow *out)
{
	struct wire_head head = out->head;
	uint64_t cookie = number_of(reader, "cookie");
	struct known_flow *known;

	HASH_FIND(hh, reader->flows, &cookie, sizeof(cookie), known);
	if (known) {
		*out = known->flow;
		out->head = head;
		out->moment = 0;
		if (known->flow.moment == WIRE_MOMENT_UPDATE) {
			out->told_bytes = known->flow.bytes;
			out->told_packets = known->flow.packets;
		} else if (known->flow.moment == WIRE_MOMENT_CLOSE) {
			out->told_bytes = 0;
			out->told_packets = 0;
		}
	} else {
		expect_owner(reader, &out->owner, head.time_ns);
		out->cgroup = out->owner.cgroup;
		out->first_ns = head.time_ns;
	}
	out->last_ns = head.time_ns;
}

static void
expect(const struct reader *reader, union text_record *record)
{
	switch ((enum wire_kind)record->head.kind) {
	case WIRE_FLOW:
		expect_flow(reader, &record->flow);
		break;
	case WIRE_CONNECT:
		expect_owner(reader, &record->connect.owner, record->head.time_ns);
		record->connect.cgroup = record->connect.owner.cgroup;
		break;
	case WIRE_FORK:
		expect_task(reader, &record->fork.task, &record->head);
		break;
	case WIRE_EXEC:
		expect_task(reader, &record->exec.task, &record->head);
		break;
	case WIRE_EXIT:
		expect_task(reader, &record->exit.task, &record->head);
		break;
	case WIRE_GAP:
	case WIRE_AGENT:
	case WIRE_KIND_MAX:
		break;
	}
}

/* What is missing for the record to make sense, or NULL. */
static const char *
lacks(const struct reader *reader, const union text_record *record)
{
	static const struct wire_addr nowhere;

	switch ((enum wire_kind)record->head.kind) {
	case WIRE_FLOW:
		if (!!text_find(&reader->line, "open") + !!text_find(&reader->line, "update") +
			    !!text_find(&reader->line, "close") !=
		    1)
			return "a flow says one of: open, update, close";
		if (!memcmp(&record->flow.dst, &nowhere, sizeof(nowhere)))
			return "a flow needs dst=";
		return record->flow.protocol ? NULL : "a flow needs proto=";
	case WIRE_CONNECT:
		if (!memcmp(&record->connect.dst, &nowhere, sizeof(nowhere)))
			return "a connect needs dst=";
		return record->connect.protocol ? NULL : "a connect needs proto=";
	case WIRE_FORK:
	case WIRE_EXEC:
	case WIRE_EXIT: /* their tasks stand at the same place */
		return record->fork.task.pid ? NULL : "a process needs pid=";
	case WIRE_GAP:
		return record->gap.loss ? NULL : "a gap needs loss=";
	case WIRE_AGENT:
		return record->agent.life ? NULL : "the agent's line needs life=";
	case WIRE_KIND_MAX:
		break;
	}
	return NULL;
}

static int
remember_task(struct reader *reader, const struct wire_task *task, bool ended)
{
	struct known_task *known;

	HASH_FIND(hh, reader->tasks, &task->pid, sizeof(task->pid), known);
	if (known && ended) {
		HASH_DELETE(hh, reader->tasks, known);
		free(known);
		return 0;
	}
	if (!known && !ended) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->pid = task->pid;
		HASH_ADD(hh, reader->tasks, pid, sizeof(known->pid), known);
		if (!known->hh.tbl) {
			free(known);
			return -ENOMEM;
		}
	}
	if (known)
		known->task = *task;
	return 0;
}

static int
remember_flow(struct reader *reader, const struct wire_flow *flow)
{
	struct known_flow *known;

	if (!flow->cookie)
		return 0;
	HASH_FIND(hh, reader->flows, &flow->cookie, sizeof(flow->cookie), known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		known->cookie = flow->cookie;
		HASH_ADD(hh, reader->flows, cookie, sizeof(known->cookie), known);
		if (!known->hh.tbl) {
			free(known);
			return -ENOMEM;
		}
	}
	known->flow = *flow;
	return 0;
}

/* What was said last of a process or flow goes for its next line. */
static int
remember(struct reader *reader, union text_record *record)
{
	uint16_t kind = record->head.kind;

	if (kind == WIRE_FLOW) {
		if (text_find(&reader->line, "bytes") && !text_find(&reader->line, "wire_bytes"))
			record->flow.wire_bytes = record->flow.bytes;
		return remember_flow(reader, &record->flow);
	}
	if (kind == WIRE_FORK || kind == WIRE_EXEC || kind == WIRE_EXIT)
		return remember_task(reader, &record->fork.task, kind == WIRE_EXIT);
	return 0;
}

static int
set_key(struct reader *reader, union text_record *record, const struct text_kind *kind, size_t i)
{
	const struct text_token *token = &reader->line.tokens[i];
	const struct text_key *key;

	reader->why->column = token->column;
	key = text_key(kind, token->key, reader->why);
	if (!key)
		return -EINVAL;
	if (text_find(&reader->line, token->key) != token)
		return error_set(reader->why, -EINVAL, "'%s' is said twice", token->key);
	if (!key->read && token->value.bytes)
		return error_set(reader->why, -EINVAL, "'%s' is a word without a value", key->name);
	if (key->read && !token->value.bytes)
		return error_set(reader->why, -EINVAL, "'%s' needs a value: %s=...", key->name,
				 key->name);
	reader->why->column = token->value_column;
	return text_set(record, key, token->value, reader->why);
}

static void
append(struct buf *out, const union text_record *record)
{
	static const char zeros[RECORDING_ALIGN];

	buf_add(out, record, record->head.size);
	buf_add(out, zeros, recording_padded(record->head.size) - record->head.size);
}

static int
read_record(struct reader *reader)
{
	union text_record record = {0};
	const struct text_kind *kind;
	const char *missing;
	uint64_t time_ns;
	int result;
	size_t i;

	reader->why->column = reader->line.tokens[0].column;
	if (reader->line.tokens[0].value.bytes)
		return error_set(reader->why, -EINVAL, "a line begins with a time and a kind");
	if (text_seconds(&time_ns, reader->line.tokens[0].key, reader->why) < 0)
		return -EINVAL;
	if (reader->line.count < 2 || reader->line.tokens[1].value.bytes)
		return error_set(reader->why, -EINVAL, "a kind must follow the time");
	reader->why->column = reader->line.tokens[1].column;
	kind = text_kind(reader->line.tokens[1].key, reader->why);
	if (!kind)
		return -EINVAL;
	record.head.kind = kind->number;
	record.head.size = kind->size;
	record.head.time_ns = time_ns;
	expect(reader, &record);
	record.head.sequence = reader->sequences[kind->number]++;
	for (i = 2; i < reader->line.count; i++) {
		result = set_key(reader, &record, kind, i);
		if (result < 0)
			return result;
	}
	missing = lacks(reader, &record);
	reader->why->column = reader->line.tokens[1].column;
	if (missing)
		return error_set(reader->why, -EINVAL, "%s", missing);
	reader->began = true;
	result = remember(reader, &record);
	append(reader->out, &record);
	return result;
}

static int
read_line(struct reader *reader)
{
	int result = text_split(&reader->line, reader->why);

	if (result < 0 || !reader->line.count)
		return result;
	return reader->line.tokens[0].key[0] == '!' ? read_header(reader) : read_record(reader);
}

int
text_parse(struct buf *out, struct recording_header *header, const char *text, size_t length,
	   struct error *why)
{
	struct reader reader cleanup(reader_fini) = {.out = out, .header = header, .why = why};
	char *copy cleanup(free_drop) = strndup(text, length);
	char *rest = copy;
	int result = 0;

	if (!copy)
		return error_set(why, -ENOMEM, "no memory for the text");
	*header = (struct recording_header){.header_bytes = sizeof(*header),
					    .wire_flow_bytes = sizeof(struct wire_flow)};
	memcpy(header->magic, RECORDING_MAGIC, RECORDING_MAGIC_BYTES);
	for (why->line = 1; !result && (reader.line.text = strsep(&rest, "\n")); why->line++) {
		result = read_line(&reader);
		if (result < 0)
			break;
	}
	if (result == -ENOMEM || out->failed)
		return error_set(why, -ENOMEM, "no memory for the records");
	if (!result)
		why->line = why->column = 0;
	return result;
}
