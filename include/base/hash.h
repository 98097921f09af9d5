/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hash.h - uthash as it is used here.
 *
 * It does not exit when memory is short: an element that did not fit has hh.tbl
 * NULL. And it hashes eight bytes a step, with a multiplication to 128 bits whose
 * halves are folded, where its own function takes the bytes one by one.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_NONFATAL_OOM                  1
#define HASH_FUNCTION(bytes, length, hash) ((hash) = hash_bytes((bytes), (length)))

static inline uint64_t
hash_step(uint64_t hash, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15u;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t
hash_bytes(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t hash = 0xd6e8feb86659fd93u ^ length, word;

	for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = hash_step(hash, word);
	}
	for (word = 0; length; length--)
		word = word << 8 | *at++;
	hash = hash_step(hash_step(hash, word), 0xa0761d6478bd642fu);
	return (uint32_t)(hash ^ hash >> 32);
}

#include <uthash.h>

#endif /* BASE_HASH_H */
