/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* datafile - files of place data, with their SHA-256. */
#include "place/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static void
md_drop(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

void
datafile_name(struct error *why, const char *path)
{
	snprintf(why->file, sizeof(why->file), "%s", path);
	why->line = why->column = 0;
}

static void
write_hex(const unsigned char *bytes, unsigned int length, char *out)
{
	for (unsigned int i = 0; i < length; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int
finish_digest(EVP_MD_CTX *context, char digest[DIGEST_TEXT])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int length;

	if (EVP_DigestFinal_ex(context, bytes, &length) != 1 || length != 32)
		return -EIO;
	write_hex(bytes, length, digest);
	return 0;
}

int
datafile_read(struct buf *text, const char *path, char digest[DIGEST_TEXT], struct error *why)
{
	EVP_MD_CTX *context cleanup(md_drop) = EVP_MD_CTX_new();
	int err;

	datafile_name(why, path);
	err = buf_read_file(text, path, DATAFILE_BYTES_MAX);
	if (err < 0)
		return error_set(why, err, "%s", strerror(-err));
	if (!buf_reserve(text, 1) || !context ||
	    EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return error_set(why, -ENOMEM, "no memory");
	if (EVP_DigestUpdate(context, text->data, text->length) != 1 ||
	    finish_digest(context, digest) < 0)
		return error_set(why, -EIO, "no SHA-256");
	return 0;
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
	}
	return 0;
}

static int
copy(int from, int to, char digest[DIGEST_TEXT])
{
	EVP_MD_CTX *context cleanup(md_drop) = EVP_MD_CTX_new();
	char bytes[65536];
	ssize_t got;

	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	while ((got = read(from, bytes, sizeof(bytes))) > 0) {
		int err = write_all(to, bytes, (size_t)got);

		if (err < 0)
			return err;
		if (EVP_DigestUpdate(context, bytes, (size_t)got) != 1)
			return -EIO;
	}
	return got < 0 ? -errno : finish_digest(context, digest);
}

int
datafile_copy(const char *path, char digest[DIGEST_TEXT], struct error *why)
{
	int to cleanup(fd_drop) = memfd_create("demarc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int from cleanup(fd_drop) = to < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	int err, kept;

	datafile_name(why, path);
	if (from < 0 || fstat(from, &info) < 0)
		return error_set(why, -errno, "%s", strerror(errno));
	if (!S_ISREG(info.st_mode))
		return error_set(why, -EINVAL, "not a regular file");
	if ((size_t)info.st_size > DATAFILE_BYTES_MAX)
		return error_set(why, -EFBIG, "%s", strerror(EFBIG));
	err = copy(from, to, digest);
	if (!err && fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		err = -errno;
	if (err < 0)
		return error_set(why, err, "%s", strerror(-err));
	kept = to;
	to = -1;
	return kept;
}
