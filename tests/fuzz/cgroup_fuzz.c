/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cgroup_fuzz - any bytes as a cgroup path, and as the text of /proc/PID/cgroup. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct cgroup_owner owner;
	char path[4096], tight[9];

	if (!text)
		return 0;
	cgroup_parse(&owner, text);
	if (!owner.container[0] && owner.runtime[0])
		abort(); /* of what? */
	if (owner.container[0] && owner.unit[0])
		abort();
	cgroup_choose(text, path, sizeof(path));
	cgroup_choose(text, tight, sizeof(tight));
	free(text);
	return 0;
}
