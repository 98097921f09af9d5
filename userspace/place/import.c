/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import - build an MMDB file from the operator's tables. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "place.h"
#include "place/datafile.h"
#include "place/import_build.h"
#include "place/mmdb_write.h"

static int
read_rows(struct import *import, const struct place_input *input, struct buf *text, size_t *useful,
	  struct error *why)
{
	struct import_row row;
	struct csv_row cells;
	struct csv csv;
	int more;

	csv_init(&csv, text->data, text->length, import_separator(input->format));
	while ((more = csv_next(&csv, &cells, why)) > 0) {
		int err = import_read_row(&row, input->format, &cells, &import->names, why);

		if (err < 0)
			return err;
		if (!row.is_useful)
			continue;
		if (import_add(import, &row) < 0)
			return error_set(why, -ENOMEM, "no memory");
		++*useful;
	}
	return more;
}

static int
read_input(struct import *import, const struct place_input *input, struct error *why)
{
	struct buf text cleanup(buf_fini) = {0};
	char digest[DIGEST_TEXT];
	size_t useful = 0;
	int err = datafile_read(&text, input->path, digest, why);

	if (err == 0)
		err = read_rows(import, input, &text, &useful, why);
	if (err < 0)
		return err;
	if (useful == 0) {
		why->line = why->column = 0;
		return error_set(why, -EINVAL, "no range with a country or an ASN in it");
	}
	return 0;
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			bytes += put;
			length -= (size_t)put;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Readers see the old file or the whole new one. */
static int
replace_file(const char *path, const struct buf *bytes)
{
	char *draft cleanup(free_drop) = NULL;
	int fd cleanup(fd_drop) = -1;
	struct stat status;
	int err;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -EEXIST; /* never a device */
	if (asprintf(&draft, "%s.new", path) < 0)
		return -ENOMEM;
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes->data, bytes->length);
	if (err == 0 && rename(draft, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(draft);
	return err;
}

static void
tree_drop(struct tree *tree)
{
	tree_fini(tree);
}

static int
build(struct import *import, int64_t build_epoch_s, struct buf *out)
{
	struct facts *facts cleanup(free_drop) = NULL;
	struct tree tree cleanup(tree_drop) = {0};
	uint32_t count = 0;
	int err = import_build(import, &tree);

	if (err == 0)
		err = import_strip(import, &tree, &facts, &count);
	if (err == 0)
		err = mmdb_write(out, &tree, facts, count, build_epoch_s);
	return err;
}

int
places_import(const char *out_path, const struct place_input *inputs, size_t count,
	      int64_t build_epoch_s, struct error *why)
{
	struct import import cleanup(import_fini) = {0};
	struct buf bytes cleanup(buf_fini) = {0};
	struct error unheard = {0};
	int err;

	why = why ? why : &unheard;
	for (size_t i = 0; i < count; i++) {
		err = read_input(&import, &inputs[i], why);
		if (err < 0)
			return err;
	}
	datafile_name(why, out_path);
	if (import.count == 0)
		return error_set(why, -EINVAL, "no input, so there is nothing to write");
	err = build(&import, build_epoch_s, &bytes);
	if (err == 0)
		err = replace_file(out_path, &bytes);
	return err < 0 ? error_set(why, err, "%s", strerror(-err)) : 0;
}
