/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stall.c - preloaded into the agent: while the file $STALL_FILE exists, syncing takes for ever. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void
stand_still(void)
{
	const struct timespec wait = {0, 20 * 1000 * 1000};
	const char *path = getenv("STALL_FILE");

	while (path && access(path, F_OK) == 0)
		nanosleep(&wait, NULL);
}

static int
real(const char *name, int fd)
{
	int (*function)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);

	return function(fd);
}

int
fdatasync(int fd)
{
	stand_still();
	return real("fdatasync", fd);
}

int
fsync(int fd)
{
	stand_still();
	return real("fsync", fd);
}
