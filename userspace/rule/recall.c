/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * recall - what the rules said of an event like this one.
 *
 * Rules see only the fields they name, and of the time only which exceptions have
 * expired. Events that agree in all of this get the same hits, so these are kept
 * under exactly these values: connections to the same place by the same role need
 * no rule to be looked at again. A slot holds the latest; nothing is chained.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "rule/ruleset.h"

#define SLOTS      256 /* a power of two */
#define KEY_BYTES  240
#define SLOT_HITS  4
#define FIELDS_MAX 64 /* rules that name more are asked each time */

struct slot {
	uint8_t length; /* of key; 0: empty */
	uint8_t count;
	char key[KEY_BYTES];
	const struct rule *hits[SLOT_HITS];
};

/* What the rules for one kind look at. */
struct sight {
	const struct field *fields[FIELDS_MAX];
	size_t field_count; /* FIELDS_MAX + 1: too many */
	int64_t *expiries;  /* of exceptions */
	size_t expiry_count;
};

struct recall {
	const struct ruleset *rules;
	struct sight sights[WIRE_KIND_MAX];
	struct slot slots[SLOTS];
};

DEFINE_DROP(struct recall *, recall, recall_free)

static void
note_match(struct sight *sight, const struct match *match)
{
	for (size_t i = 0; i < match->count && sight->field_count <= FIELDS_MAX; i++) {
		const struct field *field = match->conditions[i].field;
		size_t at = 0;

		while (at < sight->field_count && sight->fields[at] != field)
			at++;
		if (at == FIELDS_MAX)
			sight->field_count++;
		else if (at == sight->field_count)
			sight->fields[sight->field_count++] = field;
	}
}

static void
note_clause(struct sight *sight, const struct clause *clause)
{
	note_match(sight, &clause->all);
	for (size_t i = 0; i < clause->any_count; i++)
		note_match(sight, &clause->any[i]);
}

static int
note_entry(struct sight *sight, const struct entry *entry)
{
	size_t count = sight->expiry_count + entry->exception_count;
	int64_t *expiries = reallocarray(sight->expiries, count + 1, sizeof(*expiries));

	if (!expiries)
		return -ENOMEM;
	sight->expiries = expiries;
	note_clause(sight, &entry->clause);
	for (size_t i = 0; i < entry->exception_count; i++) {
		note_clause(sight, &entry->exceptions[i].clause);
		expiries[sight->expiry_count++] = entry->exceptions[i].expires_ms;
	}
	return 0;
}

int
recall_new(struct recall **out, const struct ruleset *rules)
{
	struct recall *recall cleanup(recall_drop) = calloc(1, sizeof(*recall));

	if (!recall)
		return -ENOMEM;
	recall->rules = rules;
	for (size_t i = 0; i < rules->info.rules; i++) {
		const struct entry *entry = &rules->entries[i];

		if (note_entry(&recall->sights[entry->rule.event->kind], entry) < 0)
			return -ENOMEM;
	}
	*out = take(recall);
	return 0;
}

void
recall_free(struct recall *recall)
{
	if (!recall)
		return;
	for (size_t i = 0; i < WIRE_KIND_MAX; i++)
		free(recall->sights[i].expiries);
	free(recall);
}

/*
 * Keys
 * ----
 */

struct key {
	size_t length; /* KEY_BYTES: does not fit */
	char bytes[KEY_BYTES];
};

static void
add_bytes(struct key *key, const void *bytes, size_t length)
{
	if (length >= KEY_BYTES - key->length) {
		key->length = KEY_BYTES;
		return;
	}
	memcpy(key->bytes + key->length, bytes, length);
	key->length += length;
}

/* Each text behind a byte that says that there is one. Copied here: most have a few bytes. */
static void
add_text(struct key *key, const char *text)
{
	char *at = key->bytes + key->length, *end = key->bytes + KEY_BYTES - 1;

	if (at >= end)
		return;
	*at++ = 't';
	while (*text && at < end)
		*at++ = *text++;
	if (at < end)
		*at++ = '\0';
	key->length = at < end ? (size_t)(at - key->bytes) : KEY_BYTES;
}

static void
add_value(struct key *key, const struct value *value)
{
	const char *const *member;

	switch (value->type) {
	case FIELD_STRING:
		if (value->present)
			add_text(key, value->text);
		break;
	case FIELD_INT:
	case FIELD_BOOL:
		add_bytes(key, &value->number, sizeof(value->number));
		return;
	case FIELD_IP:
		add_bytes(key, value->ip.bytes, sizeof(value->ip.bytes));
		return;
	case FIELD_SET:
		for (member = value->present ? value->set : NULL; member && *member; member++)
			add_text(key, *member);
		break;
	}
	add_bytes(key, value->present ? "." : "-", 1);
}

static void
make_key(struct key *key, const struct sight *sight, const struct event *event)
{
	uint8_t kind = (uint8_t)event->type->kind;
	uint32_t expired = 0;
	struct value value;

	for (size_t i = 0; i < sight->expiry_count; i++)
		expired += event->wall_ms >= sight->expiries[i];
	key->length = 0;
	add_bytes(key, &expired, sizeof(expired));
	add_bytes(key, &kind, sizeof(kind));
	for (size_t i = 0; i < sight->field_count; i++) {
		value_read(&value, event, sight->fields[i]);
		add_value(key, &value);
	}
}

static struct slot *
find(struct recall *recall, const struct key *key)
{
	uint64_t hash = key->length, word;
	size_t i;

	for (i = 0; i + 8 <= key->length; i += 8) {
		memcpy(&word, key->bytes + i, 8);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	for (word = 0; i < key->length; i++)
		word = word << 8 | (unsigned char)key->bytes[i];
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return &recall->slots[hash >> 32 & (SLOTS - 1)];
}

size_t
recall_match(struct recall *recall, const struct event *event, const struct rule **hits,
	     size_t room)
{
	const struct sight *sight = &recall->sights[event->type->kind];
	struct key key;
	struct slot *slot;
	size_t count;

	if (sight->field_count > FIELDS_MAX || room < SLOT_HITS)
		return ruleset_match(recall->rules, event, hits, room);
	make_key(&key, sight, event);
	if (key.length == KEY_BYTES)
		return ruleset_match(recall->rules, event, hits, room);
	slot = find(recall, &key);
	if (slot->length != key.length || memcmp(slot->key, key.bytes, key.length) != 0) {
		count = ruleset_match(recall->rules, event, hits, room);
		slot->length = 0;
		if (count > SLOT_HITS)
			return count;
		slot->length = (uint8_t)key.length;
		slot->count = (uint8_t)count;
		memcpy(slot->key, key.bytes, key.length);
		memcpy(slot->hits, hits, count * sizeof(hits[0]));
	}
	memcpy(hits, slot->hits, slot->count * sizeof(hits[0]));
	return slot->count;
}
