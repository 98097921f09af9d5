/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* mmdb_fuzz - the bytes of an MMDB file, through our use of libmaxminddb. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "place/database.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* MMDB_open() of libmaxminddb before 1.12 loses a list when a description is no map. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct database_options options = {0};
	struct database database = {0};
	struct error why = {0};
	char path[32];
	int fd = memfd_create("mmdb", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (database_open(&database, path, &options, &why) == 0) {
		for (uint32_t i = 0; i < 64; i++) {
			struct ip v4 = ip_from_v4(i * 0x04104104),
				  v6 = {{0x20 | (i & 31), (uint8_t)i}};

			database_find(&database, &v4);
			database_find(&database, &v6);
		}
		database_fini(&database);
	}
	close(fd);
	return 0;
}
