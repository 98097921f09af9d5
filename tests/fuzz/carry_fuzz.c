/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_fuzz.c - any bytes as what the last agent left: read them, go on, read again. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"
#include "journal/carry_file.h"

#define BOOT "11111111-2222-3333-4444-555555555555"

/* Checksums stop a fuzzer at once: mend the header and the turns in a row. */
static void
mend(uint8_t *bytes, size_t length, int own_boot)
{
	size_t at = sizeof(struct carry_header);
	struct carry_turn turn;

	if (length < at)
		return;
	carry_header_fill((void *)bytes, own_boot ? BOOT : "another");
	for (; at + sizeof(turn) <= length; at += sizeof(turn) + turn.length) {
		memcpy(&turn, bytes + at, sizeof(turn));
		turn.length &= ~UINT64_C(7);
		if (turn.length > length - at - sizeof(turn))
			return;
		carry_turn_seal((void *)(bytes + at), turn.length);
	}
}

struct sums {
	uint64_t count, bytes;
};

static void
add(uint64_t id, const void *bytes, size_t length, void *arg)
{
	struct sums *sums = arg;

	(void)id;
	sums->count++;
	for (size_t i = 0; i < length; i++)
		sums->bytes += ((const uint8_t *)bytes)[i] + 1u;
}

static struct sums
read_all(const struct carry *carry)
{
	struct sums sums = {0};

	for (int kind = CARRY_RINGS; kind <= CARRY_SHED; kind++)
		carry_each(carry, (enum carry_kind)kind, add, &sums);
	return sums;
}

static void
go_on(const char *path)
{
	struct carry *carry = NULL;
	struct error why = {0};
	struct sums before, after;

	if (carry_open(&carry, path, BOOT, &why) < 0)
		return;
	carry_put(carry, CARRY_FOLD, 1, "more", 4);
	carry_drop(carry, CARRY_FIRST, 1);
	if (carry_commit(carry) < 0)
		abort();
	before = read_all(carry);
	carry_close(carry);
	if (carry_open(&carry, path, BOOT, &why) < 0)
		abort();
	after = read_all(carry);
	if (before.count != after.count || before.bytes != after.bytes)
		abort();
	carry_close(carry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	char path[64];
	uint8_t *copy;
	int fd;

	if (length < 1)
		return 0;
	copy = malloc(length);
	memcpy(copy, data + 1, length - 1);
	if (data[0] & 1)
		mend(copy, length - 1, data[0] & 2);
	snprintf(path, sizeof(path), "/dev/shm/demarc-carry-fuzz-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0 && write(fd, copy, length - 1) == (ssize_t)length - 1)
		go_on(path);
	if (fd >= 0)
		close(fd);
	unlink(path);
	free(copy);
	return 0;
}
