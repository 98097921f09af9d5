/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privacy.c - personal strings by their mode: in full, as keyed pseudonyms, or not at all. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/types.h>

#include "event/facts.h"
#include "event/text.h"

#define PSEUDONYM_LENGTH (PSEUDONYM_TEXT - 1)
#define NUMBER_TEXT      (INT_TEXT + 4)

/* One person as an event knows him: a name, a number, or both. */
struct person {
	const char *name;
	int64_t number;
};

static void
make(const struct privacy *privacy, const char *text, char out[PSEUDONYM_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	unsigned int length = 0;

	HMAC(EVP_sha256(), privacy->key, sizeof(privacy->key), (const unsigned char *)text,
	     strlen(text), digest, &length);
	memcpy(out, "p-", 2);
	for (size_t i = 0; i < 8; i++) {
		out[2 + 2 * i] = hex[digest[i] >> 4];
		out[3 + 2 * i] = hex[digest[i] & 15];
	}
	out[PSEUDONYM_LENGTH] = '\0';
	OPENSSL_cleanse(digest, sizeof(digest));
}

static size_t
slot_of(const char *text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash %
	       (sizeof(((struct pseudonyms *)0)->slot) / sizeof(((struct pseudonyms *)0)->slot[0]));
}

void
privacy_pseudonym(const struct privacy *privacy, const char *text, char out[PSEUDONYM_TEXT])
{
	struct pseudonyms *cache = privacy->cache;
	size_t length = strlen(text), slot;

	if (!cache || !length || length >= sizeof(cache->slot[0].text)) {
		make(privacy, text, out);
		return;
	}
	slot = slot_of(text);
	if (strcmp(cache->slot[slot].text, text) != 0) {
		make(privacy, text, cache->slot[slot].pseudonym);
		memcpy(cache->slot[slot].text, text, length + 1);
	}
	memcpy(out, cache->slot[slot].pseudonym, PSEUDONYM_TEXT);
}

static bool
is_administrator(const struct privacy *privacy, const struct person *person)
{
	const char *name = person->name ? person->name : person->number == 0 ? "root" : NULL;

	for (const char *const *each = privacy->administrators; name && each && *each; each++)
		if (strcmp(*each, name) == 0)
			return true;
	return false;
}

static void
pseudonym_of(const struct privacy *privacy, const struct person *person, char out[PSEUDONYM_TEXT])
{
	char number[NUMBER_TEXT] = "uid:";

	if (!person->name)
		text_digits(number + 4, person->number);
	privacy_pseudonym(privacy, person->name ? person->name : number, out);
}

/*
 * Paths
 * -----
 * What stands for a component, or for the part of it that is personal.
 */

struct piece {
	const char *text;
	size_t length;
};

struct path_reader {
	const struct privacy *privacy;
	const struct person *person; /* whose event it is */
	bool after_home;             /* the last component was "home" */
	bool below_home;             /* some component was: ".." may lead back to it */
	bool after_run_user;         /* the last two were "run/user" */
	bool after_run;
};

static bool
equals(const struct piece *piece, const char *text)
{
	return strlen(text) == piece->length && memcmp(piece->text, text, piece->length) == 0;
}

/* The digits in user-1000.slice, user@1000.service, user-runtime-dir@1000.service. */
static bool
find_number(const struct piece *part, struct piece *number)
{
	static const char *const starts[] = {"user-runtime-dir@", "user@", "user-"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		size_t length = strlen(starts[i]);

		if (part->length <= length || memcmp(part->text, starts[i], length) != 0)
			continue;
		number->text = part->text + length;
		number->length = strspn(number->text, "0123456789");
		if (number->length > part->length - length)
			number->length = part->length - length;
		return number->length > 0;
	}
	return false;
}

static int64_t
to_number(const struct piece *digits)
{
	int64_t value = 0;

	for (size_t i = 0; i < digits->length; i++) {
		if (digits->text[i] < '0' || digits->text[i] > '9' || value > INT64_MAX / 10 - 9)
			return ABSENT;
		value = value * 10 + (digits->text[i] - '0');
	}
	return digits->length ? value : ABSENT;
}

/* What is personal in a component: all of it, a number inside, or (length 0) nothing. */
static struct piece
personal_part(const struct path_reader *reader, const struct piece *part)
{
	const char *user = reader->person->name;
	struct piece number;

	if (find_number(part, &number))
		return number;
	if (equals(part, ".") || equals(part, ".."))
		return (struct piece){part->text, 0};
	if (reader->after_home || reader->after_run_user)
		return *part;
	if (user && *user && equals(part, user))
		return *part;
	return (struct piece){part->text, 0};
}

/* The pseudonym of what is personal; false when it is an administrator's and may stay. */
static bool
replace(const struct path_reader *reader, const struct piece *personal, char out[PSEUDONYM_TEXT])
{
	struct person who = {.number = to_number(personal)};
	char name[64];

	if (who.number != ABSENT && who.number == reader->person->number) {
		who.name = reader->person->name;
	} else if (who.number == ABSENT && personal->length < sizeof(name)) {
		memcpy(name, personal->text, personal->length);
		name[personal->length] = '\0';
		who.name = name;
	} else if (who.number == ABSENT) {
		who = (struct person){"(long)", ABSENT};
	}
	if (is_administrator(reader->privacy, &who))
		return false;
	if (reader->privacy->mode[PRIVACY_USER] == PRIVACY_DROP)
		strcpy(out, "-");
	else
		pseudonym_of(reader->privacy, &who, out);
	return true;
}

static void
turn(struct path_reader *reader, const struct piece *part)
{
	if (equals(part, "."))
		return;
	reader->after_run_user = reader->after_run && equals(part, "user");
	reader->after_run = equals(part, "run");
	reader->below_home |= equals(part, "home");
	reader->after_home = equals(part, "home") || (equals(part, "..") && reader->below_home);
}

/* One component, and the slashes behind it. NULL when there is no room. */
static char *
rewrite_part(struct path_reader *reader, const struct piece *part, size_t slashes, char *at,
	     const char *end)
{
	struct piece personal = personal_part(reader, part);
	char pseudonym[PSEUDONYM_TEXT];
	size_t before = (size_t)(personal.text - part->text);

	if ((size_t)(end - at) < part->length + slashes + PSEUDONYM_TEXT)
		return NULL;
	if (personal.length && replace(reader, &personal, pseudonym)) {
		at = mempcpy(at, part->text, before);
		at = stpcpy(at, pseudonym);
		before += personal.length;
		at = mempcpy(at, part->text + before, part->length - before);
	} else {
		at = mempcpy(at, part->text, part->length);
	}
	turn(reader, part);
	return mempcpy(at, part->text + part->length, slashes);
}

/* Length of what was written at out, or -1 when room bytes are too few. */
static ssize_t
rewrite(struct path_reader *reader, const char *path, char *out, size_t room)
{
	char *at = out;

	while (*path) {
		struct piece part = {path, strcspn(path, "/")};
		size_t slashes = strspn(path + part.length, "/");

		at = rewrite_part(reader, &part, slashes, at, out + room);
		if (!at)
			return -1;
		path += part.length + slashes;
	}
	return at - out;
}

/* Most paths of a server are nobody's, and need no copy. */
static bool
may_be_personal(const struct privacy *privacy, const char *path, const struct person *person)
{
	if (privacy->mode[PRIVACY_USER] == PRIVACY_FULL)
		return false;
	return strstr(path, "home/") || strstr(path, "user") ||
	       (person->name && *person->name && strstr(path, person->name));
}

void
privacy_path(const struct privacy *privacy, const char *path, const char *user, struct buf *out)
{
	struct person person = {user, ABSENT};
	struct path_reader reader = {.privacy = privacy, .person = &person};
	size_t length = strlen(path);
	size_t room = length + (length / 2 + 2) * PSEUDONYM_TEXT; /* every component replaced */
	char *at;

	if (!may_be_personal(privacy, path, &person)) {
		buf_adds(out, path);
		return;
	}
	at = buf_reserve(out, room);
	if (at)
		out->length += (size_t)rewrite(&reader, path, at, room);
}

/*
 * The strings of an event
 * -----------------------
 */

static const char *
show_path(struct facts *facts, const struct privacy *privacy, const struct person *person,
	  const char *path)
{
	struct path_reader reader = {.privacy = privacy, .person = person};
	char *at = facts->room + facts->used;
	size_t room = sizeof(facts->room) - facts->used;
	ssize_t length;

	if (!path || privacy->mode[PRIVACY_PATH] == PRIVACY_DROP)
		return NULL;
	if (!may_be_personal(privacy, path, person))
		return path;
	length = room ? rewrite(&reader, path, at, room - 1) : -1;
	if (length < 0)
		return NULL;
	at[length] = '\0';
	facts->used += (size_t)length + 1;
	return at;
}

static const char *
keep_number(struct facts *facts, int64_t number)
{
	char text[INT_TEXT];
	size_t length;

	if (number == ABSENT)
		return NULL;
	length = text_digits(text, number);
	return facts_keep(facts, text, length);
}

/* Both of a person's strings: in full, or one pseudonym for both. */
static void
show_person(struct facts *facts, const struct privacy *privacy, const struct person *person,
	    const char **name, const char **number)
{
	enum privacy_mode mode = privacy->mode[PRIVACY_USER];
	char pseudonym[PSEUDONYM_TEXT];
	const char *kept;

	*name = *number = NULL;
	if (!person->name && person->number == ABSENT)
		return;
	if (mode == PRIVACY_FULL || is_administrator(privacy, person)) {
		*name = person->name;
		*number = keep_number(facts, person->number);
		return;
	}
	if (mode == PRIVACY_DROP)
		return;
	pseudonym_of(privacy, person, pseudonym);
	kept = facts_keep(facts, pseudonym, PSEUDONYM_LENGTH);
	*name = person->name ? kept : NULL;
	*number = person->number != ABSENT ? kept : NULL;
}

/* A group is mostly its user's own, so it is as personal as the user. */
static const char *
show_group(struct facts *facts, const struct privacy *privacy, const struct person *user,
	   int64_t gid)
{
	char text[NUMBER_TEXT] = "gid:", pseudonym[PSEUDONYM_TEXT];

	if (gid == ABSENT || privacy->mode[PRIVACY_USER] == PRIVACY_FULL ||
	    is_administrator(privacy, user))
		return keep_number(facts, gid);
	if (privacy->mode[PRIVACY_USER] == PRIVACY_DROP)
		return NULL;
	text_digits(text + 4, gid);
	privacy_pseudonym(privacy, text, pseudonym);
	return facts_keep(facts, pseudonym, PSEUDONYM_LENGTH);
}

/* A process may be called like its user. */
static const char *
show_name(const char *name, const struct event_process *process, const struct facts *facts)
{
	if (name && process->user && strcmp(name, process->user) == 0)
		return facts->user;
	if (name && process->login_user && strcmp(name, process->login_user) == 0)
		return facts->login_user;
	return name;
}

static const char *
show_argv(struct facts *facts, const struct privacy *privacy, const char *argv)
{
	char pseudonym[PSEUDONYM_TEXT];

	if (!argv || privacy->mode[PRIVACY_ARGV] == PRIVACY_DROP)
		return NULL;
	if (privacy->mode[PRIVACY_ARGV] == PRIVACY_FULL)
		return argv;
	privacy_pseudonym(privacy, argv, pseudonym);
	return facts_keep(facts, pseudonym, PSEUDONYM_LENGTH);
}

/* What was a pseudonym in the journal stays the same one. */
static void
show_again(struct facts *facts, const struct event_process *process)
{
	if (process->uid_shown)
		facts->uid = process->uid_shown;
	if (process->gid_shown)
		facts->gid = process->gid_shown;
	if (process->loginuid_shown)
		facts->loginuid = process->loginuid_shown;
}

void
facts_hide(struct facts *facts, const struct event_process *process, const struct privacy *privacy)
{
	struct person user = {process->user, process->uid};
	struct person login = {process->login_user, process->loginuid};

	if (!user.name && user.number == login.number && !process->uid_shown)
		user.name = login.name;
	show_person(facts, privacy, &user, &facts->user, &facts->uid);
	show_person(facts, privacy, &login, &facts->login_user, &facts->loginuid);
	facts->gid = show_group(facts, privacy, &user, process->gid);
	show_again(facts, process);
	facts->name = show_name(process->name, process, facts);
	facts->parent_name = show_name(process->parent_name, process, facts);
	facts->argv = show_argv(facts, privacy, process->argv);
	facts->exe = show_path(facts, privacy, &user, process->exe);
	facts->cgroup_path = show_path(facts, privacy, &user, process->cgroup_path);
	facts->unit = show_path(facts, privacy, &user, process->unit);
}
