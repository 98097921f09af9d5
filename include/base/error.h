/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * error.h - an error as a value: what is wrong, and where.
 *
 * Whoever reads foreign text (rules, configuration, place data, recordings)
 * returns -errno and fills one of these; only commands and the agent speak.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

struct error {
	char file[256];      /* "" when the text came from memory */
	unsigned int line;   /* from 1; 0 when the place is not known */
	unsigned int column; /* from 1, in bytes */
	char text[256];      /* "no field 'dst.prot'; did you mean 'dst.port'?" */
};

/* Fill in the text; keeps file, line and column. Returns code, so: return error_set(why, -EINVAL,
 * ...). */
int error_set(struct error *why, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "file:line:column: text", leaving out what is not known. Writes at most size bytes, NUL included.
 */
const char *error_format(const struct error *why, char *out, unsigned long size);

/*
 * The candidate nearest to word, when it is near enough to be a slip of the
 * finger (edit distance at most a third of the word's length, at least 1);
 * else NULL. candidates is count pointers.
 */
const char *nearest_word(const char *word, const char *const *candidates, unsigned long count);

#endif /* BASE_ERROR_H */
