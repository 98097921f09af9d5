/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* carry_file.c - the bytes of a carry file, and who may write them. */
#include "carry_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

void
carry_header_fill(struct carry_header *header, const char *boot_id)
{
	*header = (struct carry_header){
		.magic = CARRY_MAGIC,
		.version = CARRY_VERSION,
		.header_bytes = sizeof(*header),
	};
	snprintf(header->boot_id, sizeof(header->boot_id), "%s", boot_id);
	header->crc =
		(uint32_t)crc32_z(0, (const void *)header, offsetof(struct carry_header, crc));
}

int
carry_header_check(const struct carry_header *header, size_t length)
{
	size_t known = length < sizeof(header->magic) ? length : sizeof(header->magic);

	if (memcmp(header->magic, CARRY_MAGIC, known) != 0)
		return -EBADMSG;
	if (length < sizeof(*header))
		return -ENODATA;
	if (header->version != CARRY_VERSION || header->header_bytes != sizeof(*header) ||
	    header->boot_id[sizeof(header->boot_id) - 1] != '\0' ||
	    header->crc !=
		    (uint32_t)crc32_z(0, (const void *)header, offsetof(struct carry_header, crc)))
		return -EBADMSG;
	return 0;
}

size_t
carry_item_size(uint32_t length)
{
	size_t bytes = length == CARRY_GONE ? 0 : length;

	return sizeof(struct carry_item) + ((bytes + 7) & ~(size_t)7);
}

static uint32_t
checksum(const struct carry_turn *turn)
{
	return (uint32_t)crc32_z(0, (const void *)&turn->length,
				 sizeof(turn->length) + turn->length);
}

void
carry_turn_seal(struct carry_turn *turn, size_t length)
{
	turn->mark = CARRY_MARK;
	turn->length = length;
	turn->crc = checksum(turn);
}

/* The items fill the turn exactly. */
static bool
is_well_formed(const char *items, size_t length)
{
	struct carry_item item;
	size_t at = 0;

	while (length - at >= sizeof(item)) {
		memcpy(&item, items + at, sizeof(item));
		if (carry_item_size(item.length) > length - at)
			return false;
		at += carry_item_size(item.length);
	}
	return at == length;
}

/* The turn at the beginning of bytes, or NULL. */
static const struct carry_turn *
find_turn(const char *bytes, size_t length)
{
	const struct carry_turn *turn = (const void *)bytes;

	if (length < sizeof(*turn) || turn->mark != CARRY_MARK || turn->length % 8 ||
	    turn->length > length - sizeof(*turn) || turn->crc != checksum(turn))
		return NULL;
	return is_well_formed(bytes + sizeof(*turn), turn->length) ? turn : NULL;
}

size_t
carry_walk(const char *bytes, size_t length, carry_item_fn fn, void *arg)
{
	const struct carry_turn *turn;
	struct carry_item item;
	size_t at = 0, end;

	while ((turn = find_turn(bytes + at, length - at))) {
		end = at + sizeof(*turn) + turn->length;
		for (at += sizeof(*turn); at < end; at += carry_item_size(item.length)) {
			memcpy(&item, bytes + at, sizeof(item));
			if (item.kind)
				fn(&item, at + sizeof(item), arg);
		}
	}
	return at;
}

/* The file may have been replaced between opening and locking it: then what is locked is of the
 * past. */
static bool
is_current(int fd, const char *path)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(path, &named) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int
carry_file_open(const char *path, struct error *why)
{
	int error;

	for (;;) {
		int fd cleanup(fd_drop) =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0) {
			error = -errno;
			return error_set(why, error, "cannot open %s: %s", path, strerror(-error));
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return error_set(why, -EBUSY, "%s is in use by another process", path);
		if (!is_current(fd, path))
			continue;
		error = fd;
		fd = -1;
		return error;
	}
}

int
carry_file_write(int fd, const void *bytes, size_t length, uint64_t at)
{
	const char *from = bytes;
	ssize_t put;

	while (length) {
		put = pwrite(fd, from, length, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -EIO;
		from += put;
		at += (uint64_t)put;
		length -= (size_t)put;
	}
	return 0;
}
