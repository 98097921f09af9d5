/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config_fuzz.c - any bytes as a file, a variable or a --set; the first byte chooses. */
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char *text cleanup(free_drop) = calloc(1, length + 1);
	int fd cleanup(fd_drop) = memfd_create("config", MFD_CLOEXEC);
	struct config config cleanup(config_fini) = {0};
	const char *list[] = {text, NULL};
	struct config_sources sources = {0};
	struct error why = {0};
	char path[32];

	if (length < 2 || fd < 0)
		return 0;
	memcpy(text, bytes + 1, length - 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sources.path = path;
	if (bytes[0] == 'e')
		sources.environment = list;
	else if (bytes[0] == 's')
		sources.sets = list;
	else if (write(fd, text, length - 1) < 0)
		return 0;
	if (bytes[0] == 'e' || bytes[0] == 's')
		if (write(fd, "{}", 2) < 0)
			return 0;
	if (config_load(&config, &sources, &why) < 0) {
		if (!why.text[0] || !why.file[0] || config.owned)
			abort();
		return 0;
	}
	for (size_t i = 0; i < config_count(); i++)
		if (!config_row(&config, i).value || !config_row(&config, i).origin)
			abort();
	return 0;
}
