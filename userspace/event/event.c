/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event.c - the registry of kinds, and reading a field without knowing its struct member. */
#include <errno.h>
#include <string.h>

#include "event.h"
#include "event/decode.h"

#define X(number, KIND, name, sentence) [number] = &event_##name,
static const struct event_type *const by_kind[WIRE_KIND_MAX] = {WIRE_KINDS(X)};
#undef X

#define X(number, KIND, name, sentence) &event_##name,
static const struct event_type *const all[] = {WIRE_KINDS(X)};
#undef X

const struct event_type *
event_type_by_kind(unsigned int kind)
{
	return kind < WIRE_KIND_MAX ? by_kind[kind] : NULL;
}

const struct event_type *
event_type_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	return NULL;
}

const struct event_type *const *
event_types(size_t *count)
{
	*count = sizeof(all) / sizeof(all[0]);
	return all;
}

const struct field *
event_field(const struct event_type *type, const char *name)
{
	for (const struct field *field = type->fields; field->name || field->ocsf; field++)
		if (field->name && strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

static const void *
member(const struct event *event, const struct field *field)
{
	return (const char *)event + field->offset;
}

int64_t
event_int(const struct event *event, const struct field *field)
{
	switch (field->type) {
	case FIELD_INT:
		return *(const int64_t *)member(event, field);
	case FIELD_BOOL:
		return *(const bool *)member(event, field);
	case FIELD_STRING:
	case FIELD_IP:
	case FIELD_SET:
		break;
	}
	return ABSENT;
}

const char *
event_string(const struct event *event, const struct field *field)
{
	if (field->type != FIELD_STRING)
		return NULL;
	return *(const char *const *)member(event, field);
}

const struct ip *
event_ip(const struct event *event, const struct field *field)
{
	return field->type == FIELD_IP ? member(event, field) : NULL;
}

const char *const *
event_set(const struct event *event, const struct field *field)
{
	if (field->type != FIELD_SET)
		return NULL;
	return *(const char *const *const *)member(event, field);
}

static bool
is_set_ip(const struct ip *ip)
{
	static const struct ip zero;

	return memcmp(ip, &zero, sizeof(zero)) != 0;
}

bool
event_has(const struct event *event, const struct field *field)
{
	switch (field->type) {
	case FIELD_STRING:
		return event_string(event, field) != NULL;
	case FIELD_INT:
		return event_int(event, field) != ABSENT;
	case FIELD_BOOL:
		return true;
	case FIELD_IP:
		return is_set_ip(event_ip(event, field));
	case FIELD_SET:
		return event_set(event, field) != NULL;
	}
	return false;
}

#define AT(member) offsetof(struct event, member)
static const size_t integers[] = {
	AT(wall_ms),
	AT(process.pid),
	AT(process.ppid),
	AT(process.execs),
	AT(process.parent_execs),
	AT(process.parent_started_ns),
	AT(process.started_ns),
	AT(process.uid),
	AT(process.gid),
	AT(process.loginuid),
	AT(process.session),
	AT(process.cgroup),
	AT(process.net_ns),
	AT(src_port),
	AT(dst_port),
	AT(requested_port),
	AT(protocol),
	AT(error),
	AT(bytes),
	AT(wire_bytes),
	AT(packets),
	AT(bytes_in),
	AT(delta_bytes),
	AT(delta_packets),
	AT(duration_ms),
	AT(cookie),
	AT(noted_ns),
	AT(dst_place.asn),
	AT(exit_code),
	AT(exit_signal),
	AT(lost),
	AT(lost_bytes),
	AT(lost_packets),
	AT(from_ms),
	AT(to_ms),
	AT(lost_cpu),
	AT(lost_sequence),
	AT(judgement.severity),
	AT(judgement.count),
	AT(judgement.first_ms),
	AT(judgement.last_ms),
};
#undef AT

void
event_init(struct event *event, const struct event_type *type)
{
	memset(event, 0, offsetof(struct event, scratch));
	event->type = type;
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		*(int64_t *)(void *)((char *)event + integers[i]) = ABSENT;
}

void
event_set_wall(struct event *event, int64_t offset_ms)
{
	event->wall_ms = (int64_t)(event->time_ns / 1000000) + offset_ms;
	if (event->from_ms != ABSENT)
		event->from_ms += offset_ms;
	if (event->to_ms != ABSENT)
		event->to_ms += offset_ms;
}

const char *
event_keep(struct event *event, const char *bytes, size_t length)
{
	char *kept = event->scratch + event->scratch_used;

	if (length >= sizeof(event->scratch) - event->scratch_used)
		return "";
	memcpy(kept, bytes, length);
	kept[length] = '\0';
	event->scratch_used += length + 1;
	return kept;
}

int
event_decode(struct event *event, const struct wire_head *head)
{
	const struct event_type *type;

	if (head->size < sizeof(*head))
		return -EBADMSG;
	type = event_type_by_kind(head->kind);
	if (!type)
		return -ENOENT;
	event_init(event, type);
	event->time_ns = (uint64_t)decode_count(head->time_ns);
	return type->decode(event, head);
}
