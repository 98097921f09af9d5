/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_keys - which keys a line of each kind may have, and how their values are read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "source/text_keys.h"

#define MOST_NAMES 64
#define LAST_ERRNO 133
#define NS_DIGITS  9

/*
 * Values
 * ------
 */

static int
not_one_of(struct error *why, const char *what, const char *value, const char *const *names)
{
	const char *near;
	size_t count = 0;

	while (names[count])
		count++;
	near = nearest_word(value, names, count);
	if (near)
		return error_set(why, -EINVAL, "no %s '%.60s'; did you mean '%s'?", what, value,
				 near);
	return error_set(why, -EINVAL, "no %s '%.60s'", what, value);
}

int
text_number(uint64_t *out, const char *text, uint64_t max, struct error *why)
{
	int base = !strncmp(text, "0x", 2) ? 16 : 10;
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, base);
	if (*text < '0' || *text > '9' || *end || end == text)
		return error_set(why, -EINVAL, "'%.60s' is not a number", text);
	if (errno || number > max)
		return error_set(why, -EINVAL, "%.60s is too large: at most %llu", text,
				 (unsigned long long)max);
	*out = number;
	return 0;
}

int
text_seconds(uint64_t *out, const char *text, struct error *why)
{
	size_t whole = strspn(text, "0123456789"), digits = 0;
	uint64_t seconds = 0, ns = 0;
	const char *at = text + whole;

	if (*at == '.') {
		digits = strspn(++at, "0123456789");
		if (digits > NS_DIGITS)
			return error_set(why, -EINVAL, "'%.60s' is finer than nanoseconds", text);
		for (size_t i = 0; i < NS_DIGITS; i++)
			ns = 10 * ns + (i < digits ? (uint64_t)(at[i] - '0') : 0);
		at += digits;
	}
	if (*at || !whole || (text[whole] == '.' && !digits))
		return error_set(why, -EINVAL, "'%.60s' is not a time in seconds since boot", text);
	if (whole > 9)
		return error_set(why, -EINVAL, "'%.60s' is too late: at most 999999999 s", text);
	for (size_t i = 0; i < whole; i++)
		seconds = 10 * seconds + (uint64_t)(text[i] - '0');
	*out = seconds * 1000000000ull + ns;
	return 0;
}

static void
store(void *out, size_t width, uint64_t value)
{
	memcpy(out, &value, width); /* little-endian, as every target of BPF here */
}

static void *
member(union text_record *record, const struct text_key *key)
{
	return record->bytes + key->offset;
}

static int
read_count(union text_record *record, const struct text_key *key, struct text_value value,
	   struct error *why)
{
	uint64_t max = key->width == 8 ? UINT64_MAX : (1ull << (8 * key->width)) - 1;
	uint64_t number;
	int result = text_number(&number, value.bytes, max, why);

	if (!result)
		store(member(record, key), key->width, number);
	return result;
}

static int
read_time(union text_record *record, const struct text_key *key, struct text_value value,
	  struct error *why)
{
	uint64_t ns;
	int result = text_seconds(&ns, value.bytes, why);

	if (!result)
		store(member(record, key), sizeof(ns), ns);
	return result;
}

static int
read_word(union text_record *record, const struct text_key *key, struct text_value value,
	  struct error *why)
{
	uint64_t i;

	for (i = 0; key->names[i]; i++) {
		if (strcmp(key->names[i], value.bytes) || !value.length)
			continue;
		store(member(record, key), key->width, i);
		return 0;
	}
	return not_one_of(why, key->name, value.bytes, key->names);
}

static int
read_protocol(union text_record *record, const struct text_key *key, struct text_value value,
	      struct error *why)
{
	const char *names[256];
	size_t count = 0;
	unsigned int i;

	if (value.bytes[0] >= '0' && value.bytes[0] <= '9')
		return read_count(record, key, value, why);
	i = protocol_number(value.bytes);
	if (i) {
		store(member(record, key), key->width, i);
		return 0;
	}
	for (i = 0; i < 255; i++) {
		if (protocol_name((uint8_t)i))
			names[count++] = protocol_name((uint8_t)i);
	}
	names[count] = NULL;
	return not_one_of(why, "protocol", value.bytes, names);
}

static int
read_errno(union text_record *record, const struct text_key *key, struct text_value value,
	   struct error *why)
{
	const char *names[LAST_ERRNO + 1];
	size_t count = 0;
	int i;

	if (value.bytes[0] >= '0' && value.bytes[0] <= '9')
		return read_count(record, key, value, why);
	for (i = 1; i <= LAST_ERRNO; i++) {
		const char *name = strerrorname_np(i);

		if (!name)
			continue;
		if (!strcmp(name, value.bytes)) {
			store(member(record, key), key->width, (uint64_t)i);
			return 0;
		}
		names[count++] = name;
	}
	names[count] = NULL;
	return not_one_of(why, "error", value.bytes, names);
}

/* "1.2.3.4:5", "[::1]:5", and either address without a port. */
static int
read_address(union text_record *record, const struct text_key *key, struct text_value value,
	     struct error *why)
{
	const char *start = value.bytes, *end = strchr(start, ':'), *port;
	char text[IP_TEXT];
	uint64_t number = 0;
	struct ip ip;

	if (*start == '[') {
		end = strchr(++start, ']');
		port = end ? end + 1 : "?";
	} else {
		if (!end || strchr(end + 1, ':')) /* none, or IPv6 without brackets */
			end = start + strlen(start);
		port = end;
	}
	if (!end || (size_t)(end - start) >= sizeof(text) || (*port && *port != ':'))
		return error_set(why, -EINVAL, "'%.60s' is not an address with a port",
				 value.bytes);
	memcpy(text, start, (size_t)(end - start));
	text[end - start] = '\0';
	if (ip_parse(&ip, text) < 0)
		return error_set(why, -EINVAL, "'%.60s' is not an address", text);
	if (*port && text_number(&number, port + 1, UINT16_MAX, why) < 0)
		return -EINVAL;
	memcpy(member(record, key), ip.bytes, sizeof(ip.bytes));
	store(record->bytes + key->port, sizeof(uint16_t), number);
	return 0;
}

static int
read_comm(union text_record *record, const struct text_key *key, struct text_value value,
	  struct error *why)
{
	char *out = member(record, key);

	if (value.length >= WIRE_COMM_BYTES)
		return error_set(why, -EINVAL, "a name of %zu bytes; the kernel keeps %d",
				 value.length, WIRE_COMM_BYTES - 1);
	memset(out, 0, WIRE_COMM_BYTES);
	memcpy(out, value.bytes, value.length);
	return 0;
}

static int
read_slice(union text_record *record, const struct text_key *key, struct text_value value,
	   struct error *why)
{
	struct wire_slice slice = {record->head.size, (__u16)value.length};

	if (value.length > WIRE_TEXT_BYTES)
		return error_set(why, -EINVAL, "%zu bytes of text; at most %d", value.length,
				 WIRE_TEXT_BYTES);
	memcpy(record->bytes + record->head.size, value.bytes, value.length);
	record->head.size = (__u16)(record->head.size + value.length);
	memcpy(member(record, key), &slice, sizeof(slice));
	return 0;
}

/* An exit status from the number that exit() was called with. */
static int
read_code(union text_record *record, const struct text_key *key, struct text_value value,
	  struct error *why)
{
	uint64_t code;
	int result = text_number(&code, value.bytes, UINT8_MAX, why);

	if (!result)
		store(member(record, key), key->width, code << 8);
	return result;
}

int
text_set(union text_record *record, const struct text_key *key, struct text_value value,
	 struct error *why)
{
	uint64_t marks = 0;
	int result = key->read ? key->read(record, key, value, why) : 0;

	if (result < 0 || !key->mark)
		return result;
	memcpy(&marks, record->bytes + key->mark_offset, key->mark_width);
	store(record->bytes + key->mark_offset, key->mark_width, marks | key->mark);
	return 0;
}

/*
 * Tables
 * ------
 */

static const char *const bases[] = {"unknown", "connect", "create", "listener",
				    "sender",  "holder",  NULL};
static const char *const roles[] = {"unknown", "client", "server", NULL};
static const char *const witnesses[] = {"gate", "nic", "forwarded", NULL};
static const char *const losses[] = {"",       "ring", "table", "shed", "down",
				     "unread", "gone", "quota", NULL};
static const char *const classes[] = {"", "bulk", "critical", NULL};
static const char *const lives[] = {"",         "start",  "stop", "reload", "reload-failed",
				    "coverage", "stream", NULL};
#define X(number, KIND, name, sentence) [number] = #name,
static const char *const kind_names[] = {[0] = "", WIRE_KINDS(X) NULL};
#undef X

#define MEMBER(type, path) \
	.offset = offsetof(struct type, path), .width = sizeof(((struct type *)0)->path)
#define MARK(type, path, bits)                                      \
	.mark = (bits), .mark_offset = offsetof(struct type, path), \
	.mark_width = sizeof(((struct type *)0)->path)
#define COUNT(key, type, path)                                      \
	{                                                           \
		.name = key, .read = read_count, MEMBER(type, path) \
	}
#define TIME(key, type, path)                                      \
	{                                                          \
		.name = key, .read = read_time, MEMBER(type, path) \
	}
#define COMM(key, type, path)                                      \
	{                                                          \
		.name = key, .read = read_comm, MEMBER(type, path) \
	}
#define SLICE(key, type, path)                                      \
	{                                                           \
		.name = key, .read = read_slice, MEMBER(type, path) \
	}
#define WORD(key, type, path, n)                                               \
	{                                                                      \
		.name = key, .read = read_word, MEMBER(type, path), .names = n \
	}
#define PROTO(key, type, path)                                         \
	{                                                              \
		.name = key, .read = read_protocol, MEMBER(type, path) \
	}

#define HEAD_KEYS(type) COUNT("cpu", type, head.cpu), COUNT("sequence", type, head.sequence)
#define OWNER_KEYS(type)                                                                  \
	COUNT("pid", type, owner.pid), COUNT("uid", type, owner.uid),                     \
		COUNT("gid", type, owner.gid), WORD("basis", type, owner.basis, bases),   \
		TIME("noted", type, owner.noted_ns), COUNT("cgroup", type, owner.cgroup), \
		COMM("comm", type, owner.comm)
#define TASK_KEYS(type)                                                                       \
	COUNT("pid", type, task.pid), COUNT("ppid", type, task.ppid),                         \
		COUNT("uid", type, task.uid), COUNT("gid", type, task.gid),                   \
		COUNT("loginuid", type, task.loginuid), COUNT("session", type, task.session), \
		TIME("started", type, task.started_ns), COUNT("cgroup", type, task.cgroup),   \
		COUNT("net_ns", type, task.net_ns), COUNT("pid_ns", type, task.pid_ns),       \
		COUNT("mnt_ns", type, task.mnt_ns), COMM("comm", type, task.comm)
#define PROGRAM_KEYS(type)                                                                      \
	COUNT("execs", type, program.execs), COUNT("parent_execs", type, program.parent_execs), \
		TIME("parent_started", type, program.parent_started_ns)
#define ADDRESS(key, type, path)                                       \
	{                                                              \
		.name = key, .read = read_address, MEMBER(type, path), \
		.port = offsetof(struct type, path##_port)             \
	}

static const struct text_key flow_keys[] = {
	{.name = "open", MARK(wire_flow, moment, WIRE_MOMENT_OPEN)},
	{.name = "update", MARK(wire_flow, moment, WIRE_MOMENT_UPDATE)},
	{.name = "close", MARK(wire_flow, moment, WIRE_MOMENT_CLOSE)},
	{.name = "idle", MARK(wire_flow, flags, WIRE_FLOW_IDLE)},
	HEAD_KEYS(wire_flow),
	OWNER_KEYS(wire_flow),
	COUNT("cookie", wire_flow, cookie),
	COUNT("socket_cgroup", wire_flow, cgroup),
	ADDRESS("src", wire_flow, src),
	ADDRESS("dst", wire_flow, dst),
	{.name = "requested",
	 .read = read_address,
	 MEMBER(wire_flow, requested),
	 .port = offsetof(struct wire_flow, requested_port),
	 MARK(wire_flow, flags, WIRE_FLOW_REQUESTED)},
	PROTO("proto", wire_flow, protocol),
	WORD("role", wire_flow, role, roles),
	WORD("witness", wire_flow, witness, witnesses),
	COUNT("ifindex", wire_flow, ifindex),
	COUNT("bytes", wire_flow, bytes),
	COUNT("wire_bytes", wire_flow, wire_bytes),
	COUNT("packets", wire_flow, packets),
	TIME("first", wire_flow, first_ns),
	TIME("last", wire_flow, last_ns),
	{.name = "bytes_in",
	 .read = read_count,
	 MEMBER(wire_flow, bytes_in),
	 MARK(wire_flow, flags, WIRE_FLOW_RECEIVED)},
	COUNT("told_bytes", wire_flow, told_bytes),
	COUNT("told_packets", wire_flow, told_packets),
	TIME("started", wire_flow, started_ns),
	PROGRAM_KEYS(wire_flow),
	{0},
};

static const struct text_key connect_keys[] = {
	{.name = "unsent", MARK(wire_connect, flags, WIRE_CONNECT_UNSENT)},
	HEAD_KEYS(wire_connect),
	OWNER_KEYS(wire_connect),
	COUNT("cookie", wire_connect, cookie),
	COUNT("socket_cgroup", wire_connect, cgroup),
	ADDRESS("dst", wire_connect, dst),
	{.name = "requested",
	 .read = read_address,
	 MEMBER(wire_connect, requested),
	 .port = offsetof(struct wire_connect, requested_port),
	 MARK(wire_connect, flags, WIRE_FLOW_REQUESTED)},
	PROTO("proto", wire_connect, protocol),
	{.name = "error", .read = read_errno, MEMBER(wire_connect, error)},
	TIME("started", wire_connect, started_ns),
	PROGRAM_KEYS(wire_connect),
	{0},
};

static const struct text_key fork_keys[] = {
	HEAD_KEYS(wire_fork),
	TASK_KEYS(wire_fork),
	PROGRAM_KEYS(wire_fork),
	{0},
};

static const struct text_key exec_keys[] = {
	{.name = "seeded", MARK(wire_exec, flags, WIRE_EXEC_SEEDED)},
	{.name = "argv_cut", MARK(wire_exec, flags, WIRE_EXEC_ARGV_CUT)},
	HEAD_KEYS(wire_exec),
	TASK_KEYS(wire_exec),
	{.name = "execs",
	 .read = read_count,
	 MEMBER(wire_exec, program.execs),
	 MARK(wire_exec, flags, WIRE_EXEC_PROGRAM)},
	COUNT("parent_execs", wire_exec, program.parent_execs),
	TIME("parent_started", wire_exec, program.parent_started_ns),
	SLICE("exe", wire_exec, exe),
	SLICE("argv", wire_exec, argv),
	SLICE("cgroup_path", wire_exec, cgroup_path),
	{0},
};

static const struct text_key exit_keys[] = {
	HEAD_KEYS(wire_exit),
	TASK_KEYS(wire_exit),
	COUNT("status", wire_exit, status),
	{.name = "code", .read = read_code, MEMBER(wire_exit, status)},
	COUNT("signal", wire_exit, status),
	PROGRAM_KEYS(wire_exit),
	{0},
};

static const struct text_key gap_keys[] = {
	HEAD_KEYS(wire_gap),
	WORD("loss", wire_gap, loss, losses),
	WORD("kind", wire_gap, missing_kind, kind_names),
	COUNT("count", wire_gap, count),
	COUNT("first", wire_gap, first_sequence),
	TIME("from", wire_gap, from_ns),
	TIME("to", wire_gap, to_ns),
	COUNT("bytes", wire_gap, bytes),
	COUNT("packets", wire_gap, packets),
	WORD("class", wire_gap, class, classes),
	{0},
};

static const struct text_key agent_keys[] = {
	HEAD_KEYS(wire_agent),
	WORD("life", wire_agent, life, lives),
	SLICE("text", wire_agent, text),
	{0},
};

/* A kind without keys here does not compile. */
#define X(number, KIND, name, sentence) \
	{#name, WIRE_##KIND, sizeof(struct wire_##name), name##_keys},
static const struct text_kind kinds[] = {WIRE_KINDS(X)};
#undef X

const struct text_kind *
text_kind(const char *name, struct error *why)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	not_one_of(why, "kind", name, kind_names + 1);
	return NULL;
}

const struct text_key *
text_key(const struct text_kind *kind, const char *name, struct error *why)
{
	const char *names[MOST_NAMES];
	const struct text_key *key;
	size_t count = 0;

	for (key = kind->keys; key->name; key++) {
		if (!strcmp(key->name, name))
			return key;
		if (count < MOST_NAMES - 1)
			names[count++] = key->name;
	}
	names[count] = NULL;
	not_one_of(why, "key", name, names);
	return NULL;
}
