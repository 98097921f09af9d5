/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* canonical - one spelling for a document, and its SHA-256, so that layout does not count. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "rule/ruleset.h"

static void
write_string(struct buf *out, const char *text)
{
	static const char names[] = "btn\0fr"; /* of 8 to 13; 11 has none */

	buf_addc(out, '"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\') {
			buf_addc(out, '\\');
			buf_addc(out, *text);
		} else if (byte >= 8 && byte <= 13 && byte != 11) {
			buf_addc(out, '\\');
			buf_addc(out, names[byte - 8]);
		} else if (byte < 32) {
			buf_addf(out, "\\u%04x", byte);
		} else {
			buf_addc(out, *text);
		}
	}
	buf_addc(out, '"');
}

static int
by_key(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static void
write_object(struct buf *out, const cJSON *object)
{
	const cJSON **members cleanup(free_drop) = NULL;
	size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
	const cJSON *member;

	members = calloc(count + 1, sizeof(*members));
	if (!members) {
		out->failed = true;
		return;
	}
	cJSON_ArrayForEach(member, object) members[i++] = member;
	qsort(members, count, sizeof(*members), by_key);
	buf_addc(out, '{');
	for (i = 0; i < count; i++) {
		if (i)
			buf_addc(out, ',');
		write_string(out, members[i]->string);
		buf_addc(out, ':');
		canonical_write(out, members[i]);
	}
	buf_addc(out, '}');
}

static void
write_array(struct buf *out, const cJSON *array)
{
	const cJSON *item;

	buf_addc(out, '[');
	cJSON_ArrayForEach(item, array)
	{
		if (item != array->child)
			buf_addc(out, ',');
		canonical_write(out, item);
	}
	buf_addc(out, ']');
}

void
canonical_write(struct buf *out, const cJSON *item)
{
	int64_t number;

	if (cJSON_IsObject(item))
		write_object(out, item);
	else if (cJSON_IsArray(item))
		write_array(out, item);
	else if (cJSON_IsString(item))
		write_string(out, item->valuestring);
	else if (is_whole(item, &number))
		buf_addf(out, "%lld", (long long)number);
	else if (cJSON_IsNumber(item))
		buf_addf(out, "%.17g", item->valuedouble);
	else
		buf_adds(out, cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null");
}

int
canonical_digest(const cJSON *root, char out[65])
{
	struct buf text cleanup(buf_fini) = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, length = 0;

	canonical_write(&text, root);
	if (text.failed || !EVP_Digest(text.data, text.length, digest, &length, EVP_sha256(), NULL))
		return -ENOMEM;
	for (i = 0; i < length && i < 32; i++) {
		out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	out[64] = '\0';
	return 0;
}
