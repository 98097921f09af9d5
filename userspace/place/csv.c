/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* csv - rows of cells out of a text. Pure. */
#include "place/csv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void
csv_init(struct csv *csv, char *text, size_t length, char separator)
{
	static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark that spreadsheets write */

	*csv = (struct csv){.next = text, .end = text + length, .separator = separator};
	*csv->end = '\0';
	if (length >= 3 && !memcmp(text, mark, 3))
		csv->next += 3;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Cut blanks off both ends; returns where the cell begins. */
static char *
trim(char *from, char *to)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	*to = '\0';
	return from;
}

/*
 * Undo the quotes of the cell that begins at the quote `at`, in place. Returns
 * what follows the closing quote, or NULL when there is none on this line.
 */
static char *
unquote(char *at, char *end)
{
	char *to = at;

	for (at++; at < end; at++) {
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
		*to++ = *at;
	}
	if (at >= end)
		return NULL;
	*to = '\0';
	return at + 1;
}

static int
complain(struct error *why, unsigned int line, unsigned int column, const char *text)
{
	why->line = line;
	why->column = column;
	return error_set(why, -EINVAL, "%s", text);
}

/* Take one cell from *at; leaves *at behind its separator, or NULL after the last cell. */
static int
take_cell(const struct csv *csv, char **at, char *end, char *line, struct csv_row *row,
	  struct error *why)
{
	char *from = *at, *stop;
	unsigned int column = (unsigned int)(from - line) + 1;

	if (row->count == CSV_CELLS)
		return complain(why, row->line, column, "too many cells in this line");
	if (csv->separator == ',') {
		while (from < end && is_blank(*from))
			from++;
	}
	if (csv->separator == ',' && *from == '"') {
		char *rest = unquote(from, end);

		if (!rest)
			return complain(why, row->line, column, "a quote that is never closed");
		while (rest < end && is_blank(*rest))
			rest++;
		if (rest < end && *rest != ',')
			return complain(why, row->line, (unsigned int)(rest - line) + 1,
					"expected a comma after the closing quote");
		stop = rest;
	} else {
		stop = memchr(from, csv->separator, (size_t)(end - from));
		stop = stop ? stop : end;
		from = trim(from, stop == end ? end : stop);
	}
	*at = stop < end ? stop + 1 : NULL;
	row->columns[row->count] = column;
	row->cells[row->count++] = from;
	return 0;
}

static int
split(const struct csv *csv, char *line, char *end, struct csv_row *row, struct error *why)
{
	char *at = line;

	if (memchr(line, '\0', (size_t)(end - line)))
		return complain(why, row->line, 1, "a NUL byte: this is not text");
	*end = '\0';
	while (at) {
		if (take_cell(csv, &at, end, line, row, why) < 0)
			return -EINVAL;
	}
	return 1;
}

int
csv_next(struct csv *csv, struct csv_row *row, struct error *why)
{
	while (csv->next < csv->end) {
		char *line = csv->next, *first = line;
		char *end = memchr(line, '\n', (size_t)(csv->end - line));

		end = end ? end : csv->end;
		csv->next = end < csv->end ? end + 1 : csv->end;
		csv->line++;
		while (first < end && is_blank(*first))
			first++;
		if (first == end || *first == '#')
			continue;
		*row = (struct csv_row){.line = csv->line};
		return split(csv, line, end, row, why);
	}
	return 0;
}

const char *
csv_cell(const struct csv_row *row, size_t index)
{
	return index < row->count ? row->cells[index] : "";
}

void
csv_locate(const struct csv_row *row, size_t index, struct error *why)
{
	why->line = row->line;
	why->column = row->columns[index < row->count ? index : row->count - 1];
}
