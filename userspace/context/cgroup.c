/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup - what the path of a cgroup says about who runs in it.
 *
 * A path is read component by component and the last one that names a container
 * wins, because nodes run inside containers (kind) and containers inside pods
 * (docker in docker). A name is reported only where the layout itself says that
 * it is a container: a plain "/NAME", as runc's cgroupfs driver makes, says nothing.
 */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "context.h"

#define ID_DIGITS  64 /* of a container id of every OCI engine */
#define UID_TEXT   36 /* of a pod, with dashes */
#define UID_DIGITS 32 /* of a static pod: a digest of its manifest */

/* Part of a path. */
struct word {
	const char *text;
	size_t length;
};

/* How a name begins that an engine gave; its helper processes are not inside what they name. */
static const struct engine {
	const char *prefix;
	const char *runtime; /* NULL: a helper */
	bool any_name;       /* names are the user's choice, not ids */
} engines[] = {
	{"cri-containerd", "containerd", false},
	{"nerdctl", "containerd", false},
	{"crio", "cri-o", false},
	{"crio-conmon", NULL, false},
	{"docker", "docker", false},
	{"libpod", "podman", false},
	{"libpod-conmon", NULL, false},
	{"runc", "runc", true},
	{"crun", "crun", true},
};

static bool
starts(struct word word, const char *prefix)
{
	size_t length = strlen(prefix);

	return word.length >= length && !memcmp(word.text, prefix, length);
}

static bool
ends(struct word word, const char *suffix)
{
	size_t length = strlen(suffix);

	return word.length >= length && !memcmp(word.text + word.length - length, suffix, length);
}

static bool
equals(struct word word, const char *text)
{
	return word.length == strlen(text) && starts(word, text);
}

static struct word
skip(struct word word, size_t count)
{
	return (struct word){word.text + count, word.length - count};
}

static bool
is_hex(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if (!isdigit((unsigned char)text[i]) && (text[i] < 'a' || text[i] > 'f'))
			return false;
	}
	return true;
}

static bool
is_id(struct word word)
{
	return word.length == ID_DIGITS && is_hex(word.text, word.length);
}

/* Cut to what fits: only units can be longer, and their start tells the most. */
static void
copy(char *out, size_t room, struct word word)
{
	size_t length = word.length < room ? word.length : room - 1;

	memcpy(out, word.text, length);
	out[length] = '\0';
}

static void
found(struct cgroup_owner *out, struct word name, const char *runtime)
{
	if (!name.length || name.length >= sizeof(out->container))
		return;
	copy(out->container, sizeof(out->container), name);
	snprintf(out->runtime, sizeof(out->runtime), "%s", runtime);
}

/* "8-4-4-4-12" with dashes, or with underscores as systemd's driver writes them. */
static bool
is_uuid(struct word word)
{
	size_t i;

	if (word.length != UID_TEXT)
		return false;
	for (i = 0; i < UID_TEXT; i++) {
		bool mark = i == 8 || i == 13 || i == 18 || i == 23;

		if (mark ? word.text[i] != '-' && word.text[i] != '_' : !is_hex(word.text + i, 1))
			return false;
	}
	return true;
}

static bool
read_uid(struct cgroup_owner *out, struct word uid)
{
	char *at;

	if (!is_uuid(uid) && !(uid.length == UID_DIGITS && is_hex(uid.text, uid.length)))
		return false;
	copy(out->pod, sizeof(out->pod), uid);
	for (at = out->pod; *at; at++) {
		if (*at == '_')
			*at = '-';
	}
	return true;
}

/* "podUID", or "...kubepods...-podUID.slice". */
static void
read_pod(struct cgroup_owner *out, struct word word)
{
	const char *mark;

	if (starts(word, "pod") && read_uid(out, skip(word, 3)))
		return;
	if (!ends(word, ".slice"))
		return;
	word.length -= strlen(".slice");
	mark = memmem(word.text, word.length, "kubepods", 8);
	if (!mark)
		return;
	mark = memmem(mark, (size_t)(word.text + word.length - mark), "-pod", 4);
	if (mark)
		read_uid(out, skip(word, (size_t)(mark + 4 - word.text)));
}

/* "ENGINE-ID" and "ENGINE-ID.scope"; a name that is no id counts only in a scope. */
static bool
read_engine(struct cgroup_owner *out, struct word word)
{
	bool scope = ends(word, ".scope");
	size_t i;

	if (scope)
		word.length -= strlen(".scope");
	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		const struct engine *engine = &engines[i];
		size_t prefix = strlen(engine->prefix);

		if (!starts(word, engine->prefix) || word.length <= prefix ||
		    word.text[prefix] != '-')
			continue;
		if (!is_id(skip(word, prefix + 1)) && !(engine->any_name && scope))
			continue;
		if (engine->runtime)
			found(out, skip(word, prefix + 1), engine->runtime);
		return true;
	}
	return false;
}

/* "SLICE:ENGINE:NAME": a path meant for systemd's driver, taken literally by the other one. */
static bool
read_colons(struct cgroup_owner *out, struct word word)
{
	const char *first = memchr(word.text, ':', word.length);
	const char *last = memrchr(word.text, ':', word.length);
	struct word engine, name;
	size_t i;

	if (!first || first == last)
		return false;
	engine = (struct word){first + 1, (size_t)(last - first - 1)};
	name = skip(word, (size_t)(last + 1 - word.text));
	read_pod(out, (struct word){word.text, (size_t)(first - word.text)});
	for (i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		if (equals(engine, engines[i].prefix) && engines[i].runtime &&
		    (is_id(name) || engines[i].any_name))
			found(out, name, engines[i].runtime);
	}
	return true;
}

/* "lxc.payload.NAME", or NAME below "lxc" or "lxc.payload"; the monitor is outside. */
static bool
read_lxc(struct cgroup_owner *out, struct word word, struct word parent)
{
	if (equals(parent, "lxc") || equals(parent, "lxc.payload"))
		found(out, word, "lxc");
	else if (starts(word, "lxc.payload."))
		found(out, skip(word, strlen("lxc.payload.")), "lxc");
	else
		return false;
	return true;
}

static bool
is_unit(struct word word)
{
	return ends(word, ".service") || ends(word, ".scope") || ends(word, ".socket") ||
	       ends(word, ".mount") || ends(word, ".swap");
}

/* The innermost unit; a slice, or a manager's own init.scope, only where there is no other. */
static void
read_unit(struct cgroup_owner *out, struct word word, bool *is_leaf)
{
	bool leaf = is_unit(word) && !equals(word, "init.scope");

	if (!leaf && (*is_leaf || !(ends(word, ".slice") || is_unit(word))))
		return;
	copy(out->unit, sizeof(out->unit), word);
	*is_leaf = leaf;
}

void
cgroup_parse(struct cgroup_owner *out, const char *path)
{
	struct word parent = {"", 0};
	bool is_leaf = false;

	memset(out, 0, sizeof(*out));
	while (*path) {
		struct word word = {path, strcspn(path, "/")};

		path += word.length + (path[word.length] == '/');
		if (!word.length)
			continue;
		read_pod(out, word);
		read_unit(out, word, &is_leaf);
		if (!read_colons(out, word) && !read_lxc(out, word, parent) &&
		    !read_engine(out, word) && is_id(word))
			found(out, word, equals(parent, "docker") ? "docker" : "");
		parent = word;
	}
	if (out->container[0])
		out->unit[0] = '\0';
}

/*
 * Choosing among the lines of /proc/PID/cgroup
 * --------------------------------------------
 */

/* One line: "ID:CONTROLLER,...:PATH". */
struct line {
	struct word controllers;
	struct word path;
	bool v2;
};

static bool
next_line(struct line *out, const char **text)
{
	const char *start = *text, *end = strchrnul(start, '\n');
	const char *one, *two;

	*text = *end ? end + 1 : end;
	one = memchr(start, ':', (size_t)(end - start));
	two = one ? memchr(one + 1, ':', (size_t)(end - one - 1)) : NULL;
	if (!two)
		return false;
	out->controllers = (struct word){one + 1, (size_t)(two - one - 1)};
	out->path = (struct word){two + 1, (size_t)(end - two - 1)};
	out->v2 = two == one + 1 && one == start + 1 && *start == '0';
	if (ends(out->path, " (deleted)")) /* the kernel says so of a cgroup that is gone */
		out->path.length -= strlen(" (deleted)");
	return true;
}

static bool
has_controller(const struct line *line, const char *name)
{
	struct word left = line->controllers;

	while (left.length) {
		const char *comma = memchr(left.text, ',', left.length);
		size_t length = comma ? (size_t)(comma - left.text) : left.length;

		if (equals((struct word){left.text, length}, name))
			return true;
		left = skip(left, length + (comma ? 1 : 0));
	}
	return false;
}

/* Lower is more telling: lines that name a container or pod, then v2, then by controller. */
static int
rank(const struct line *line, const char *path)
{
	static const char *const order[] = {"cpu", "memory", "pids", "name=systemd"};
	const int count = sizeof(order) / sizeof(order[0]);
	struct cgroup_owner owner;
	int i = 0;

	while (i < count && !has_controller(line, order[i]))
		i++;
	cgroup_parse(&owner, path);
	i = line->v2 ? 0 : i + 1;
	if (owner.container[0] || owner.pod[0])
		return i;
	return i + (strcmp(path, "/") ? 100 : 200);
}

void
cgroup_choose(const char *text, char *path, size_t room)
{
	char candidate[4096];
	int best = INT_MAX;

	path[0] = '\0';
	while (*text) {
		struct line line;
		int now;

		if (!next_line(&line, &text) || line.path.length >= room ||
		    line.path.length >= sizeof(candidate))
			continue;
		copy(candidate, sizeof(candidate), line.path);
		now = rank(&line, candidate);
		if (now >= best)
			continue;
		best = now;
		strcpy(path, candidate);
	}
}
