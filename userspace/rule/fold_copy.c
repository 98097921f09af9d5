/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fold_copy - see fold_copy.h.
 *
 * Folds are kept by the ten thousand, and half of an event's members are 0 or
 * ABSENT: of those only a bit is kept.
 */
#include "rule/fold_copy.h"

#include <stdlib.h>
#include <string.h>

#define CORE_BYTES offsetof(struct event, scratch_used)
#define WORDS      (CORE_BYTES / sizeof(uint64_t))
#define MASKS      ((WORDS + 63) / 64)

_Static_assert(CORE_BYTES % sizeof(uint64_t) == 0, "an event is whole words");

/* Every pointer of struct event but `type` and `subject`, which are constants. */
static const size_t strings[] = {
#define STRING(member) offsetof(struct event, member)
	STRING(process.name),
	STRING(process.exe),
	STRING(process.argv),
	STRING(process.user),
	STRING(process.login_user),
	STRING(process.parent_name),
	STRING(process.cgroup_path),
	STRING(process.container),
	STRING(process.runtime),
	STRING(process.pod),
	STRING(process.unit),
	STRING(process.uid_shown),
	STRING(process.gid_shown),
	STRING(process.loginuid_shown),
	STRING(protocol_name),
	STRING(role),
	STRING(basis),
	STRING(witness),
	STRING(moment),
	STRING(outcome),
	STRING(dst_place.scope),
	STRING(dst_place.location),
	STRING(dst_place.location_source),
	STRING(dst_place.operator_country),
	STRING(dst_place.operator_source),
	STRING(dst_place.operator_name),
	STRING(dst_place.provider),
	STRING(dst_place.region),
	STRING(reason),
	STRING(missing),
	STRING(lost_class),
	STRING(message),
	STRING(judgement.verdict),
	STRING(judgement.rule),
	STRING(judgement.title),
	STRING(judgement.level),
	STRING(judgement.policy),
	STRING(judgement.policy_version),
	STRING(judgement.policy_digest),
	STRING(judgement.phase),
	STRING(judgement.opened),
	STRING(alert_uid),
#undef STRING
};

static const size_t sets[] = {
	offsetof(struct event, dst_place.location_law),
	offsetof(struct event, dst_place.operator_law),
	offsetof(struct event, judgement.tags),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct event_copy {
	uint64_t kept[MASKS];   /* words that follow */
	uint64_t absent[MASKS]; /* others that are ABSENT, not 0 */
	uint64_t words[];       /* the sets' vectors come next, then the texts */
};

static bool
has_bit(const uint64_t *mask, size_t i)
{
	return mask[i / 64] >> i % 64 & 1;
}

static const char *
string_at(const void *core, size_t offset)
{
	return *(const char *const *)((const char *)core + offset);
}

static const char *const *
set_at(const void *core, size_t offset)
{
	return *(const char *const *const *)((const char *)core + offset);
}

static void
measure(const struct event *event, size_t *vectors, size_t *bytes)
{
	const char *const *member;
	size_t i;

	*vectors = *bytes = 0;
	for (i = 0; i < COUNT(strings); i++)
		if (string_at(event, strings[i]))
			*bytes += strlen(string_at(event, strings[i])) + 1;
	for (i = 0; i < COUNT(sets); i++) {
		member = set_at(event, sets[i]);
		if (!member)
			continue;
		for (; *member; member++, ++*vectors)
			*bytes += strlen(*member) + 1;
		++*vectors;
	}
}

static const char *
keep(char **room, const char *text)
{
	const char *kept = *room;
	size_t size = strlen(text) + 1;

	memcpy(*room, text, size);
	*room += size;
	return kept;
}

/* Let the core point to copies in room: vectors first, then texts. */
static void
keep_all(unsigned char *core, const char **vector, size_t vectors)
{
	char *room = (char *)(vector + vectors);
	const char *const *member;
	const char **begin;
	size_t i;

	for (i = 0; i < COUNT(strings); i++)
		if (string_at(core, strings[i]))
			*(const char **)(void *)(core + strings[i]) =
				keep(&room, string_at(core, strings[i]));
	for (i = 0; i < COUNT(sets); i++) {
		member = set_at(core, sets[i]);
		if (!member)
			continue;
		for (begin = vector; *member; member++)
			*vector++ = keep(&room, *member);
		*vector++ = NULL;
		*(const char *const **)(void *)(core + sets[i]) = begin;
	}
}

static size_t
count_kept(const uint64_t *words)
{
	size_t count = 0;

	for (size_t i = 0; i < WORDS; i++)
		count += words[i] && words[i] != (uint64_t)ABSENT;
	return count;
}

static void
pack(struct event_copy *copy, const uint64_t *words)
{
	uint64_t *next = copy->words;

	memset(copy, 0, sizeof(*copy));
	for (size_t i = 0; i < WORDS; i++) {
		if (words[i] == (uint64_t)ABSENT)
			copy->absent[i / 64] |= UINT64_C(1) << i % 64;
		else if (words[i]) {
			copy->kept[i / 64] |= UINT64_C(1) << i % 64;
			*next++ = words[i];
		}
	}
}

struct event_copy *
event_copy_new(const struct event *event)
{
	uint64_t words[WORDS];
	struct event_copy *copy;
	size_t vectors, bytes, kept;

	memcpy(words, event, CORE_BYTES);
	kept = count_kept(words);
	measure(event, &vectors, &bytes);
	copy = malloc(sizeof(*copy) + kept * sizeof(copy->words[0]) +
		      vectors * sizeof(const char *) + bytes);
	if (!copy)
		return NULL;
	keep_all((unsigned char *)words, (const char **)(void *)&copy->words[kept], vectors);
	pack(copy, words);
	return copy;
}

void
event_copy_free(struct event_copy *copy)
{
	free(copy);
}

void
event_copy_get(const struct event_copy *copy, struct event *out)
{
	const uint64_t *next = copy->words;
	uint64_t words[WORDS];

	for (size_t i = 0; i < WORDS; i++)
		words[i] = has_bit(copy->kept, i)     ? *next++
			   : has_bit(copy->absent, i) ? (uint64_t)ABSENT
						      : 0;
	memcpy(out, words, CORE_BYTES);
	out->scratch_used = 0;
}
