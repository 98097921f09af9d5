/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * csv.h - rows of cells out of a text, with places for errors.
 *
 * For commas cells may be quoted as in RFC 4180. Blank lines and lines that
 * begin with # are skipped, blanks around a cell are cut off. Reading changes
 * the text: cells are strings inside it.
 */
#ifndef PLACE_CSV_H
#define PLACE_CSV_H

#include <stddef.h>

#include "base/error.h"

#define CSV_CELLS 16

struct csv {
	char *next;
	char *end;
	char separator;
	unsigned int line;
};

struct csv_row {
	char *cells[CSV_CELLS];
	unsigned int columns[CSV_CELLS]; /* where each begins, from 1 */
	size_t count;
	unsigned int line;
};

/* text[length] must be writable: it becomes a NUL. */
void csv_init(struct csv *csv, char *text, size_t length, char separator);

/* 1: a row; 0: the end; -EINVAL with line and column in why. */
int csv_next(struct csv *csv, struct csv_row *row, struct error *why);

/* A cell, "" past the last. */
const char *csv_cell(const struct csv_row *row, size_t index);

/* Point why at a cell of the row (the last one when it has fewer). */
void csv_locate(const struct csv_row *row, size_t index, struct error *why);

#endif /* PLACE_CSV_H */
