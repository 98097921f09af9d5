/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* jsonc_fuzz.c - any bytes: a tree whose every item is found, or an error with a place. */
#include <stdlib.h>
#include <errno.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/jsonc.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
locate_all(const struct jsonc *doc, const cJSON *item, int *budget)
{
	unsigned int line, column;

	for (; item && *budget > 0; item = item->next) {
		--*budget; /* each look-up is linear */
		jsonc_locate(doc, item, &line, &column);
		if (line == 0 || column == 0)
			abort();
		locate_all(doc, item->child, budget);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct jsonc doc cleanup(jsonc_fini) = {0};
	struct error why = {0};
	int budget = 64;
	int err = jsonc_parse(&doc, (const char *)bytes, length, &why);

	/* -ENOMEM would mean that cJSON refused what the grammar check let pass. */
	if (err && (err != -EINVAL || why.line == 0 || !why.text[0]))
		abort();
	if (!err)
		locate_all(&doc, doc.root, &budget);
	return 0;
}
