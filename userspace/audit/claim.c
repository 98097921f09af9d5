/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* claim.c - compare a message's value with its headers and its key. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/claim.h"
#include "base/cleanup.h"
#include "base/jsonc.h"

#define HEADER_CUT 127 /* the producer cuts longer texts */

struct check {
	struct claim *claim;
	const struct consumer_message *message;
	const cJSON *root; /* of the value */
};

static void __attribute__((format(printf, 2, 3)))
blame(struct claim *claim, const char *format, ...)
{
	bool is_first = !claim->fault[0]; /* which says enough */
	va_list args;

	va_start(args, format);
	vsnprintf(claim->fault, is_first ? sizeof(claim->fault) : 0, format, args);
	va_end(args);
}

static const char *
header(const struct consumer_message *message, const char *name)
{
	const struct consumer_header *found = consumer_header(message, name);

	return found && strlen(found->value) == found->length ? found->value : NULL;
}

/* "metadata.uid", or with [0] behind a list's name. */
static const cJSON *
find(const cJSON *item, const char *path)
{
	char name[32];
	size_t length;

	while (item && *path) {
		length = strcspn(path, ".[");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		item = cJSON_GetObjectItemCaseSensitive(item, name);
		path += length;
		if (*path == '[') {
			item = cJSON_GetArrayItem(item, 0);
			path += strlen("[0]");
		}
		path += *path == '.';
	}
	return item;
}

static const char *
text_at(const struct check *check, const char *path)
{
	return cJSON_GetStringValue(find(check->root, path));
}

/* An integer beyond 2^53 - 1 is written as text. */
static void
number_text(const cJSON *item, char out[32])
{
	out[0] = '\0';
	if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9.1e15)
		snprintf(out, 32, "%" PRIu64, (uint64_t)item->valuedouble);
	else if (cJSON_IsString(item))
		snprintf(out, 32, "%.31s", item->valuestring);
}

/* Headers
 * -------
 */

static bool
read_count(const struct consumer_message *message, const char *name, uint64_t *out)
{
	const char *text = header(message, name);
	char *end;

	if (!text || *text < '0' || *text > '9' || (*text == '0' && text[1]))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !*end && !errno && *out < UINT64_MAX;
}

static bool
is_health(const struct consumer_message *message)
{
	const char *type = header(message, "ce_type");

	return type && strncmp(type, "io.demarc.health.", 17) == 0;
}

static void
read_headers(struct claim *out, const struct consumer_message *message)
{
	const char *stub = header(message, "demarc_stub");

	out->kind = CLAIM_FOREIGN;
	out->log_name = header(message, "demarc_log_name");
	if (is_health(message))
		out->kind = CLAIM_BEAT;
	else if (message->has_more_headers)
		blame(out, "more than %d headers", CONSUMER_HEADERS);
	else if (!out->log_name || !*out->log_name)
		blame(out, "no header demarc_log_name");
	else if (!read_count(message, "demarc_sequence", &out->sequence))
		blame(out, "no number in the header demarc_sequence");
	else if (!read_count(message, "demarc_topic_sequence", &out->ordinal))
		blame(out, "no number in the header demarc_topic_sequence");
	else
		out->kind = stub && strcmp(stub, "1") == 0 ? CLAIM_STUB : CLAIM_ENTRY;
}

static void
want_header(const struct check *check, const char *name, const char *wanted)
{
	const char *text = header(check->message, name);

	if (!text || strcmp(text, wanted) != 0)
		blame(check->claim, "the header %s is %.40s%s", name, text ? "not " : "not there",
		      text ? wanted : "");
}

/* The value's own word against a header's. */
static void
compare_text(const struct check *check, const char *path, const char *name)
{
	const char *ours = text_at(check, path), *theirs = header(check->message, name);

	if (!ours && !theirs)
		return;
	if (!ours || !theirs)
		blame(check->claim, "%s is in the %s only", ours ? path : name,
		      ours ? "value" : "header");
	else if (strcmp(ours, theirs) != 0 && strlen(ours) <= HEADER_CUT)
		blame(check->claim, "%s and the header %s differ", path, name);
}

static void
compare_number(const struct check *check, const char *path, const char *name)
{
	const char *theirs = header(check->message, name);
	char ours[32];

	number_text(find(check->root, path), ours);
	if (!ours[0] || !theirs || strcmp(ours, theirs) != 0)
		blame(check->claim, "%s and the header %s differ", path, name);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ce_source is a URI: "//cluster/node" with escapes. */
static bool
is_source_of(const char *source, const char *key, size_t length)
{
	size_t i = 0;
	char c;

	if (strncmp(source, "//", 2) != 0)
		return false;
	for (source += 2; *source; source++, i++) {
		c = *source;
		if (c == '%' && digit(source[1]) >= 0 && digit(source[2]) >= 0) {
			c = (char)(digit(source[1]) << 4 | digit(source[2]));
			source += 2;
		}
		if (i >= length || key[i] != c)
			return false;
	}
	return i == length;
}

static void
check_key(const struct check *check)
{
	const char *source = header(check->message, "ce_source"), *key = check->message->key;
	const char *cluster = text_at(check, "device.groups[0].name");
	const char *node = text_at(check, "device.hostname");
	size_t length = check->message->key_length, split;

	if (!key || !source || !is_source_of(source, key, length))
		blame(check->claim, "the key and the header ce_source differ");
	if (check->claim->kind == CLAIM_STUB)
		return;
	if (!cluster || !node) {
		blame(check->claim, "the value names no cluster or no node");
		return;
	}
	split = strlen(cluster);
	if (!key || length != split + 1 + strlen(node) || memcmp(key, cluster, split) != 0 ||
	    key[split] != '/' || memcmp(key + split + 1, node, length - split - 1) != 0)
		blame(check->claim, "the key and the value's cluster and node differ");
}

/* Values
 * ------
 */

/* Canonical JSON has no blank between its parts; whatever wrote it anew often has. */
static bool
is_dense(const char *text, size_t length)
{
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && text[i] == '\\')
			i++;
		else if (!is_quoted && (text[i] == '/' || (unsigned char)text[i] <= ' '))
			return false;
	}
	return true;
}

/* Keys of ours are ASCII: their order is that of their bytes. */
static bool
is_sorted(const cJSON *item)
{
	const cJSON *each;

	for (each = item->child; each; each = each->next) {
		if (cJSON_IsObject(item) && each->next &&
		    strcmp(each->string, each->next->string) >= 0)
			return false;
		if (each->child && !is_sorted(each))
			return false;
	}
	return true;
}

static void
check_entry(const struct check *check)
{
	char type[64], class[32];

	number_text(find(check->root, "class_uid"), class);
	snprintf(type, sizeof(type), "io.demarc.ocsf.%s.v1", class);
	want_header(check, "ce_type", type);
	compare_text(check, "metadata.uid", "ce_id");
	compare_text(check, "metadata.log_name", "demarc_log_name");
	compare_number(check, "metadata.sequence", "demarc_sequence");
	compare_number(check, "class_uid", "ocsf_class_uid");
	compare_number(check, "severity_id", "severity_id");
	compare_text(check, "firewall_rule.uid", "rule_uid");
}

static void
check_stub(const struct check *check)
{
	want_header(check, "ce_type", "io.demarc.stub.v1");
	compare_text(check, "uid", "ce_id");
	compare_text(check, "log_name", "demarc_log_name");
	compare_number(check, "sequence", "demarc_sequence");
	compare_number(check, "topic_sequence", "demarc_topic_sequence");
}

/* A gap may say how many are missing, and of what. */
static void
read_gap(const struct check *check)
{
	const char *type = text_at(check, "metadata.type"), *reason = NULL;
	const cJSON *item, *count = find(check->root, "count");

	if (!type || strcmp(type, "gap") != 0)
		return;
	check->claim->is_gap = true;
	if (cJSON_IsNumber(count) && count->valuedouble >= 0 && count->valuedouble < 9.1e15)
		check->claim->lost = (uint64_t)count->valuedouble;
	cJSON_ArrayForEach(item, find(check->root, "enrichments"))
	{
		if (!reason)
			reason = cJSON_GetStringValue(find(item, "data.reason"));
	}
	check->claim->is_unread = reason && strcmp(reason, "unread") == 0;
}

static void
check_value(const struct check *check)
{
	want_header(check, "content-type", "application/json");
	want_header(check, "ce_specversion", "1.0");
	if (!is_dense(check->message->value, check->message->length) || !is_sorted(check->root))
		blame(check->claim, "the value is not in canonical form");
	check_key(check);
	if (check->claim->kind == CLAIM_STUB) {
		check_stub(check);
		return;
	}
	check_entry(check);
	read_gap(check);
}

/* Heartbeats
 * ----------
 */

static uint64_t
count_at(const cJSON *item, const char *name)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(item, name);

	if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0 && number->valuedouble < 9.1e15))
		return 0;
	return (uint64_t)number->valuedouble;
}

static void
read_head(struct claim *out, const cJSON *item)
{
	const char *topic = cJSON_GetStringValue(find(item, "topic"));
	const char *log_name = cJSON_GetStringValue(find(item, "log_name"));
	struct claim_head *head = &out->heads[out->head_count];

	if (!topic || !log_name || strlen(topic) >= sizeof(head->topic) ||
	    strlen(log_name) >= sizeof(head->log_name))
		return;
	snprintf(head->topic, sizeof(head->topic), "%s", topic);
	snprintf(head->log_name, sizeof(head->log_name), "%s", log_name);
	head->sequence = count_at(item, "next_sequence");
	head->ordinal = count_at(item, "next_topic_sequence");
	out->head_count++;
}

static void
read_beat(struct claim *out, const cJSON *root)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, find(root, "stream.topics"))
	{
		if (out->head_count < CLAIM_HEADS)
			read_head(out, item);
	}
}

void
claim_read(struct claim *out, const struct consumer_message *message)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	struct check check = {out, message, NULL};
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	struct error why = {0};

	*out = (struct claim){0};
	read_headers(out, message);
	if (out->kind == CLAIM_FOREIGN)
		return;
	if (!message->value || jsonc_parse(&doc, message->value, message->length, &why) < 0) {
		blame(out, "the value is no JSON");
		return;
	}
	if (out->kind == CLAIM_BEAT) {
		read_beat(out, doc.root);
		return;
	}
	EVP_Digest(message->value, message->length, digest, NULL, EVP_sha256(), NULL);
	memcpy(out->digest, digest, sizeof(out->digest));
	check.root = doc.root;
	check_value(&check);
}
