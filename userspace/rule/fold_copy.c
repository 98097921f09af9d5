/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fold_copy - see fold_copy.h. */
#include "rule/fold_copy.h"

#include <stdlib.h>
#include <string.h>

#define CORE_BYTES offsetof(struct event, scratch_used)

/* Every pointer of struct event but `type`, which is a constant. */
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
	STRING(message),
	STRING(judgement.verdict),
	STRING(judgement.rule),
	STRING(judgement.title),
	STRING(judgement.level),
	STRING(judgement.policy),
	STRING(judgement.policy_version),
	STRING(judgement.policy_digest),
	STRING(judgement.phase),
#undef STRING
};

static const size_t sets[] = {
	offsetof(struct event, dst_place.location_law),
	offsetof(struct event, dst_place.operator_law),
	offsetof(struct event, judgement.tags),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct event_copy {
	_Alignas(struct event) unsigned char core[CORE_BYTES];
	const char *vectors[]; /* of the sets; the texts follow */
};

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

static void
keep_all(struct event_copy *copy, size_t vectors)
{
	const char **vector = copy->vectors, **begin;
	char *room = (char *)(copy->vectors + vectors);
	const char *const *member;
	size_t i;

	for (i = 0; i < COUNT(strings); i++)
		if (string_at(copy->core, strings[i]))
			*(const char **)(void *)(copy->core + strings[i]) =
				keep(&room, string_at(copy->core, strings[i]));
	for (i = 0; i < COUNT(sets); i++) {
		member = set_at(copy->core, sets[i]);
		if (!member)
			continue;
		for (begin = vector; *member; member++)
			*vector++ = keep(&room, *member);
		*vector++ = NULL;
		*(const char *const **)(void *)(copy->core + sets[i]) = begin;
	}
}

struct event_copy *
event_copy_new(const struct event *event)
{
	struct event_copy *copy;
	size_t vectors, bytes;

	measure(event, &vectors, &bytes);
	copy = malloc(sizeof(*copy) + vectors * sizeof(copy->vectors[0]) + bytes);
	if (!copy)
		return NULL;
	memcpy(copy->core, event, CORE_BYTES);
	keep_all(copy, vectors);
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
	memcpy(out, copy->core, CORE_BYTES);
	out->scratch_used = 0;
}
