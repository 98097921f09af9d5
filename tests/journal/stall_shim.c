/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stall_shim.c - a disk that stalls or fails on demand, for LD_PRELOAD.
 *
 *	DEMARC_SHIM="fdatasync:stall:5000ms:after=3s"	one call, 3 s after the start, takes 5 s
 *	DEMARC_SHIM="write:ENOSPC:after=100:for=2s"	from the 101st call on, for 2 s
 *	DEMARC_SHIM="fdatasync:EIO:after=5:times=3"	calls 6 to 8
 *
 * Several, parted by commas. `write` means every call that writes; only regular
 * files above stderr are touched, so the log and pipes work as always. A failing write first
 * writes half of its bytes, as a full disk does. Defaults: from the first call,
 * without end (a stall: once).
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_MAX 4

struct fault {
	char call[16]; /* fdatasync, fsync or write */
	int error;     /* 0: a stall */
	unsigned int stall_ms;
	uint64_t after_calls;
	uint64_t after_ms;
	uint64_t for_ms; /* counted from the first call it hits; 0: no end */
	uint64_t times;
	atomic_uint_fast64_t calls;
	atomic_uint_fast64_t hits;
	atomic_uint_fast64_t first_ms;
};

static struct fault faults[FAULTS_MAX];
static unsigned int fault_count;
static uint64_t start_ms;

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t
milliseconds(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	return strcmp(end, "s") == 0 ? value * 1000 : value;
}

static void
parse_word(struct fault *fault, const char *word)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(word, errors[i].name) == 0)
			fault->error = errors[i].error;
	if (strcmp(word, "stall") == 0)
		fault->times = 1;
	else if (strncmp(word, "after=", 6) == 0 && word[strlen(word) - 1] == 's')
		fault->after_ms = milliseconds(word + 6);
	else if (strncmp(word, "after=", 6) == 0)
		fault->after_calls = strtoull(word + 6, NULL, 10);
	else if (strncmp(word, "for=", 4) == 0)
		fault->for_ms = milliseconds(word + 4);
	else if (strncmp(word, "times=", 6) == 0)
		fault->times = strtoull(word + 6, NULL, 10);
	else if (word[0] >= '0' && word[0] <= '9')
		fault->stall_ms = (unsigned int)strtoul(word, NULL, 10);
}

__attribute__((constructor)) static void
setup(void)
{
	const char *text = getenv("DEMARC_SHIM");
	char *copy = text ? strdup(text) : NULL, *one, *word, *outer, *inner;
	struct fault *fault;

	start_ms = now_ms();
	for (one = copy ? strtok_r(copy, ",", &outer) : NULL; one && fault_count < FAULTS_MAX;
	     one = strtok_r(NULL, ",", &outer)) {
		fault = &faults[fault_count++];
		word = strtok_r(one, ":", &inner);
		snprintf(fault->call, sizeof(fault->call), "%s", word);
		while ((word = strtok_r(NULL, ":", &inner)))
			parse_word(fault, word);
	}
	free(copy);
}

static bool
is_due(struct fault *fault)
{
	uint64_t now = now_ms(), zero = 0;

	if (atomic_fetch_add(&fault->calls, 1) < fault->after_calls ||
	    now - start_ms < fault->after_ms)
		return false;
	atomic_compare_exchange_strong(&fault->first_ms, &zero, now);
	if (fault->for_ms && now - atomic_load(&fault->first_ms) >= fault->for_ms)
		return false;
	return !fault->times || atomic_fetch_add(&fault->hits, 1) < fault->times;
}

/* The error to fail with, 0 to go on (after a stall, perhaps). */
static int
meet(const char *call, int fd)
{
	struct stat status;
	int error = 0;
	unsigned int i;

	if (fault_count == 0 || fd <= STDERR_FILENO || fstat(fd, &status) < 0 ||
	    !S_ISREG(status.st_mode))
		return 0;
	for (i = 0; i < fault_count && !error; i++) {
		if (strcmp(faults[i].call, call) != 0 || !is_due(&faults[i]))
			continue;
		if (faults[i].stall_ms)
			usleep(faults[i].stall_ms * 1000);
		error = faults[i].error;
	}
	return error;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int
fdatasync(int fd)
{
	int error = meet("fdatasync", fd);

	if (!error)
		return REAL(fdatasync)(fd);
	errno = error;
	return -1;
}

int
fsync(int fd)
{
	int error = meet("fsync", fd);

	if (!error)
		return REAL(fsync)(fd);
	errno = error;
	return -1;
}

ssize_t
write(int fd, const void *bytes, size_t length)
{
	int error = meet("write", fd);

	if (!error)
		return REAL(write)(fd, bytes, length);
	errno = error;
	return -1;
}

ssize_t
pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	int error = meet("write", fd);

	if (!error)
		return REAL(pwrite)(fd, bytes, length, offset);
	REAL(pwrite)(fd, bytes, length / 2, offset);
	errno = error;
	return -1;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	int error = meet("write", fd);

	if (!error)
		return REAL(pwritev)(fd, parts, count, offset);
	errno = error;
	return -1;
}
