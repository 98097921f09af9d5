/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * message.c - where an entry goes, and its headers. Pure; one pass over the bytes, which
 * are canonical JSON, so that strings hold no raw control characters and members no space.
 */
#include "stream/message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stream/text.h"

#define EVENT_LOG_CLASS 1008
#define ALL_TOPICS      ((1u << STREAM_ENTRY_TOPICS) - 1)

/* Behind the string that begins at the quote, or NULL. */
static const char *
skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return NULL;
}

/* Behind the value, whatever it is, or NULL. */
static const char *
skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			if (!at || !depth)
				return at;
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && depth && --depth == 0)
			return at + 1;
		else if (!depth && (*at == ',' || *at == '}' || *at == ']'))
			return at;
		at++;
	}
	return NULL;
}

struct member {
	struct span key; /* between its quotes */
	struct span value;
};

/* The next member of an object; *at begins behind its bracket. 1, 0 at its end, or -EBADMSG. */
static int
next_member(const char **at, const char *end, struct member *out)
{
	const char *from = *at;

	if (from < end && *from == ',')
		from++;
	if (from < end && *from == '}')
		return 0;
	if (from >= end || *from != '"')
		return -EBADMSG;
	out->key.text = from + 1;
	from = skip_string(from, end);
	if (!from || from >= end || *from != ':')
		return -EBADMSG;
	out->key.length = (size_t)(from - 1 - out->key.text);
	out->value.text = from + 1;
	from = skip_value(from + 1, end);
	if (!from || from == out->value.text)
		return -EBADMSG;
	out->value.length = (size_t)(from - out->value.text);
	*at = from;
	return 1;
}

static bool
is_key(const struct member *member, const char *key)
{
	return member->key.length == strlen(key) &&
	       memcmp(member->key.text, key, member->key.length) == 0;
}

static bool
is_text(const struct span *span, const char *text)
{
	return span->text && span->length == strlen(text) &&
	       memcmp(span->text, text, span->length) == 0;
}

/* The string that is a member of an object, between its quotes; absent when there is none. */
static struct span
string_in(const struct span *object, const char *key)
{
	const char *end = object->text + object->length, *at = object->text + 1;
	struct member member;

	if (!object->length || object->text[0] != '{')
		return (struct span){0};
	while (next_member(&at, end, &member) == 1)
		if (is_key(&member, key) && member.value.length >= 2 && member.value.text[0] == '"')
			return (struct span){member.value.text + 1, member.value.length - 2};
	return (struct span){0};
}

static int64_t
number_of(const struct span *span)
{
	char text[24] = "";

	if (span->length < sizeof(text))
		memcpy(text, span->text, span->length);
	return strtoll(text, NULL, 10);
}

/* A gap's own word on what is missing: the kind, in the element that only gaps have it in. */
static struct span
missing_kind(const struct span *enrichments)
{
	static const char key[] = "\"missing\":\"";
	const char *at = memmem(enrichments->text, enrichments->length, key, sizeof(key) - 1);
	const char *end = enrichments->text + enrichments->length, *quote;

	if (!at)
		return (struct span){0};
	at += sizeof(key) - 1;
	quote = memchr(at, '"', (size_t)(end - at));
	return quote ? (struct span){at, (size_t)(quote - at)} : (struct span){0};
}

/* Only agent events are neither violation nor activity; anything else lost may be both. */
static unsigned int
topics_of_gap(const struct span *enrichments)
{
	struct span missing = enrichments->text ? missing_kind(enrichments) : (struct span){0};

	return is_text(&missing, "agent") ? 1u << STREAM_EVIDENCE : ALL_TOPICS;
}

struct parts {
	struct span metadata;
	struct span rule;
	struct span enrichments;
};

static void
take_member(struct message *out, struct parts *parts, const struct member *member)
{
	if (is_key(member, "class_uid"))
		out->class_uid = number_of(&member->value);
	else if (is_key(member, "severity_id"))
		out->severity_id = number_of(&member->value);
	else if (is_key(member, "time"))
		out->time_ms = number_of(&member->value);
	else if (is_key(member, "is_alert"))
		out->is_alert = member->value.text[0] == 't';
	else if (is_key(member, "metadata"))
		parts->metadata = member->value;
	else if (is_key(member, "firewall_rule"))
		parts->rule = member->value;
	else if (is_key(member, "enrichments"))
		parts->enrichments = member->value;
}

static unsigned int
topics_of(const struct message *message, const struct parts *parts)
{
	struct span kind =
		parts->metadata.text ? string_in(&parts->metadata, "type") : (struct span){0};

	if (is_text(&kind, "gap"))
		return topics_of_gap(&parts->enrichments);
	if (message->class_uid == EVENT_LOG_CLASS)
		return 1u << STREAM_EVIDENCE;
	return 1u << (message->is_alert ? STREAM_VIOLATIONS : STREAM_ACTIVITY);
}

int
message_read(struct message *out, const char *json, size_t length)
{
	const char *at = json + 1, *end = json + length;
	struct parts parts = {0};
	struct member member;
	int found = length && json[0] == '{' ? 1 : -EBADMSG;

	*out = (struct message){.topics = 1u << STREAM_EVIDENCE};
	while (found == 1)
		if ((found = next_member(&at, end, &member)) == 1)
			take_member(out, &parts, &member);
	if (parts.metadata.text)
		out->uid = string_in(&parts.metadata, "uid");
	if (parts.rule.text)
		out->rule = string_in(&parts.rule, "uid");
	if (found < 0 || at + 1 != end)
		return -EBADMSG;
	out->topics = topics_of(out, &parts);
	return 0;
}

/* \uXXXX of canonical JSON is below 0x20: headers have no use for it. */
static char
unescape(const char **at, const char *end)
{
	switch (**at) {
	case 'u':
		*at += end - *at > 4 ? 4 : end - *at - 1;
		return ' ';
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return ' ';
	}
	return **at;
}

size_t
message_text(const struct span *span, char *out, size_t room)
{
	const char *at = span->text, *end = at ? at + span->length : NULL;
	size_t length = 0;

	for (; at < end && length + 1 < room; at++) {
		if (*at == '\\' && at + 1 < end) {
			at++;
			out[length++] = unescape(&at, end);
		} else {
			out[length++] = *at;
		}
	}
	out[length] = '\0';
	return length;
}

static const char *
class_name(int64_t class_uid)
{
	static const struct {
		int64_t uid;
		const char *name;
	} classes[] = {
		{1003, "kernel_activity"},   {1005, "module_activity"},
		{1007, "process_activity"},  {1008, "event_log_actvity"}, /* OCSF's own spelling */
		{2004, "detection_finding"}, {3002, "authentication"},
		{4001, "network_activity"},  {4007, "ssh_activity"},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].uid == class_uid)
			return classes[i].name;
	return NULL;
}

static struct header *
put(struct header **at, const char *name)
{
	(*at)->name = name;
	return (*at)++;
}

#define PUT(at, name, ...) \
	snprintf(put(&(at), (name))->value, sizeof(((struct header *)0)->value), __VA_ARGS__)

static void
put_cloud_event(struct header **at, const struct message *message,
		const struct message_place *place)
{
	const char *name = class_name(message->class_uid);
	char text[CLOCK_TEXT], uid[sizeof((*at)->value)];

	PUT(*at, "ce_specversion", "1.0");
	if (message_text(&message->uid, uid, sizeof(uid)))
		PUT(*at, "ce_id", "%s", uid);
	PUT(*at, "ce_source", "%s", place->source);
	if (place->is_stub)
		PUT(*at, "ce_type", "io.demarc.stub.v1");
	else
		PUT(*at, "ce_type", "io.demarc.ocsf.%" PRId64 ".v1", message->class_uid);
	PUT(*at, "ce_time", "%s", clock_format(message->time_ms, text));
	if (name && !place->is_stub)
		PUT(*at, "ce_dataschema", "https://schema.ocsf.io/1.8.0/classes/%s", name);
}

size_t
message_headers(struct header out[MESSAGE_HEADERS], const struct message *message,
		const struct message_place *place)
{
	struct header *at = out;

	PUT(at, "content-type", "application/json");
	put_cloud_event(&at, message, place);
	PUT(at, "ocsf_class_uid", "%" PRId64, message->class_uid);
	PUT(at, "severity_id", "%" PRId64, message->severity_id);
	if (message->rule.length)
		message_text(&message->rule, put(&at, "rule_uid")->value, sizeof(at->value));
	PUT(at, "demarc_sequence", "%" PRIu64, place->sequence);
	PUT(at, "demarc_topic_sequence", "%" PRIu64, place->ordinal);
	if (place->is_stub)
		PUT(at, "demarc_stub", "1");
	return (size_t)(at - out);
}

static void
encode(char **at, const char *end, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	for (; *text && end - *at > 4; text++)
		if (strchr(plain, *text))
			*(*at)++ = *text;
		else
			*at += snprintf(*at, 4, "%%%02X", (unsigned char)*text);
}

void
message_source(char *out, size_t room, const char *cluster, const char *node)
{
	const char *end = out + room;
	char *at = out;

	*at++ = '/';
	*at++ = '/';
	encode(&at, end, cluster);
	*at++ = '/';
	encode(&at, end, node);
	*at = '\0';
}

void
message_stub(struct buf *out, const struct message *message, const struct message_place *place,
	     const char *reason, size_t bytes)
{
	char uid[128];

	message_text(&message->uid, uid, sizeof(uid));
	buf_addf(out, "{\"bytes\":%zu,\"class_uid\":%" PRId64 ",\"log_name\":", bytes,
		 message->class_uid);
	stream_text(out, place->log_name);
	buf_adds(out, ",\"reason\":");
	stream_text(out, reason);
	buf_addf(out, ",\"schema\":\"demarc.stub.v1\",\"sequence\":%" PRIu64 ",\"time\":%" PRId64,
		 place->sequence, message->time_ms);
	buf_addf(out, ",\"topic_sequence\":%" PRIu64 ",\"uid\":", place->ordinal);
	stream_text(out, uid);
	buf_addc(out, '}');
}
