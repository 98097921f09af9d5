/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ruleset.h - what a rule set is inside; for the files of rule/ only.
 *
 * The parsed document stays alive as long as the rule set: every string of a
 * rule points into it. What is compiled from it lives in chunks that are freed
 * together, so nothing here has an owner of its own.
 */
#ifndef RULE_RULESET_H
#define RULE_RULESET_H

#include "base/jsonc.h"
#include "rule.h"

#define RULES_MAX 10000

/* `eq` and `ne` are lists of one; `cidr` is `in` over prefixes. */
enum rule_op {
	RULE_OP_IN,
	RULE_OP_NOT_IN,
	RULE_OP_PREFIX,
	RULE_OP_SUFFIX,
	RULE_OP_GLOB,
	RULE_OP_GT,
	RULE_OP_LT,
	RULE_OP_EXISTS,
};

/* What a list becomes; the same list may be used as several. */
enum values_kind {
	VALUES_TEXTS,
	VALUES_NUMBERS,
	VALUES_ADDRESSES, /* kept as prefixes, but its members may not be wider than one */
	VALUES_NETWORKS,
	VALUES_KINDS,
};

/* Sorted, without repeats; no prefix lies inside another. */
struct values {
	enum values_kind kind;
	size_t count;
	union {
		const char **texts;
		int64_t *numbers;
		struct prefix *prefixes;
	};
};

/* One field's value, read from an event or given by a test. */
struct value {
	enum field_type type;
	bool present;
	union {
		const char *text;
		int64_t number; /* FIELD_INT and FIELD_BOOL */
		struct ip ip;
		const char *const *set;
	};
};

struct condition {
	const struct field *field;
	enum rule_op op;
	const struct values *values; /* IN, NOT_IN */
	const char *text;            /* PREFIX, SUFFIX, GLOB */
	size_t length;               /* of text */
	int64_t number;              /* GT, LT; EXISTS: 0 or 1 */
	const cJSON *item;
};

/* Conditions that must all hold. */
struct match {
	const struct condition *conditions;
	size_t count;
	const cJSON *item; /* NULL when the document has none */
};

/* `match`, and at least one of `any_of` when there are any. */
struct clause {
	struct match all;
	const struct match *any;
	size_t any_count;
};

struct exception {
	struct clause clause;
	const char *id;     /* NULL: unnamed */
	int64_t expires_ms; /* excepts nothing from this moment on */
	const cJSON *item;
};

struct assignment {
	const struct field *field;
	struct value value;
};

struct test {
	const char *name;
	const struct event_type *type;
	int64_t wall_ms;
	const struct assignment *assignments;
	size_t count;
	const char *expect;         /* a rule's own test: one of the words */
	const char *verdict;        /* a test of the whole set; NULL: any */
	const char *const *matches; /* ids; NULL: any */
	size_t matches_count;
};

struct entry {
	struct rule rule;
	struct clause clause;
	const struct exception *exceptions;
	size_t exception_count;
	const struct test *tests;
	size_t test_count;
	const cJSON *item;
};

struct list {
	const char *name;
	const cJSON *item;
	const struct values *compiled[VALUES_KINDS];
	bool used;
};

struct ruleset {
	struct ruleset_info info;
	char file[256]; /* "" when parsed from memory */
	struct jsonc doc;
	struct list *lists;
	size_t list_count;
	struct entry *entries; /* info.rules of them */
	const struct entry **by_kind[WIRE_KIND_MAX];
	size_t by_kind_count[WIRE_KIND_MAX];
	const struct test *tests; /* of the whole set */
	size_t test_count;
	struct chunk *chunks;
};

/* Zeroed memory that lives as long as rules, or NULL. */
void *ruleset_keep(struct ruleset *rules, size_t count, size_t size);

/*
 * Parsing (parse*.c): 0, -EINVAL with why filled in, or -ENOMEM.
 */
struct parser {
	struct ruleset *rules;
	struct error *why;
};

#define parser_error(parser, item, ...) \
	jsonc_error(&(parser)->rules->doc, (item), (parser)->why, __VA_ARGS__)

/* Zeroed memory for count things; NULL with why filled in. count may be 0. */
void *parser_keep(struct parser *parser, size_t count, size_t size);
/* Every key of object must be one of names (NULL-terminated); what is its name in the message. */
int parser_keys(struct parser *parser, const cJSON *object, const char *what,
		const char *const *names);
/* A string that is not empty; -EINVAL when it is missing and needed. */
int parser_string(struct parser *parser, const cJSON *object, const char *key, bool needed,
		  const char **out);
/* The member's string as its position in words (NULL-terminated); *out stays when it is missing. */
int parser_word(struct parser *parser, const cJSON *object, const char *key,
		const char *const *words, int *out);
/* An array of strings as a NULL-terminated vector; empty when array is NULL. */
int parser_strings(struct parser *parser, const cJSON *array, const char *name,
		   const char *const **out);
/* A date or moment. */
int parser_moment(struct parser *parser, const cJSON *item, int64_t *out_ms);
/* Letters, digits and "._-", at most 100. */
bool is_identifier(const char *text);
/* A whole number that a double holds exactly. */
bool is_whole(const cJSON *item, int64_t *out);

int parse_lists(struct parser *parser, const cJSON *object);
int parse_rule(struct parser *parser, const cJSON *object, struct entry *entry);
/* `match` and `any_of` of object. */
int parse_clause(struct parser *parser, const cJSON *object, const struct event_type *type,
		 struct clause *clause);
int parse_field(struct parser *parser, const cJSON *item, const struct event_type *type,
		const struct field **out);
int parse_event_type(struct parser *parser, const cJSON *object, const struct event_type **out);
int parse_rule_tests(struct parser *parser, const cJSON *array, struct entry *entry);
int parse_set_tests(struct parser *parser, const cJSON *array);

/*
 * Values (values.c)
 */
int values_compile(struct parser *parser, const cJSON *item, enum values_kind kind,
		   const struct values **out);
/* A value that is present; a set is in when any member is. */
bool values_has(const struct values *values, const struct value *value);
/* Number index, as a value of a field. */
void values_at(const struct values *values, size_t index, struct value *out);

/*
 * Matching (match.c)
 */
void value_read(struct value *value, const struct event *event, const struct field *field);
bool condition_holds(const struct condition *condition, const struct value *value);
bool entry_matches(const struct entry *entry, const struct event *event);

/* glob.c: * any run, ? one byte, [a-z] [!a-z] one of, \ takes the next byte as it is. */
bool glob_is_valid(const char *pattern);
bool glob_match(const char *pattern, const char *text);

/* moment.c: "2027-01-01" or "2027-01-01T12:00:00[.000]Z" or with "+02:00". 0, or -EINVAL. */
int moment_parse(const char *text, int64_t *out_ms);

/* canonical.c: sorted keys, no white space. */
void canonical_write(struct buf *out, const cJSON *item);
int canonical_digest(const cJSON *root, char out[65]);

#endif /* RULE_RULESET_H */
