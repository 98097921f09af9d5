/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* utf8.h - how long the character is that starts here, if it is one. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* 1 to 4; 0 when the bytes (at most length of them) are not well-formed UTF-8. */
size_t utf8_width(const char *text, size_t length);

#endif /* BASE_UTF8_H */
