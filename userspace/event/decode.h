/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * decode.h - from wire structs to struct event: the parts that kinds share.
 *
 * A record's own size is the truth: it may be longer than its struct of today
 * (a newer probe), never shorter, and a slice never points outside it.
 */
#ifndef EVENT_DECODE_H
#define EVENT_DECODE_H

#include "event.h"

/* The record as a pointer to its struct, or NULL when it is too short. */
#define wire_cast(head, type) \
	((head)->size >= sizeof(struct type) ? (const struct type *)(const void *)(head) : NULL)

/* A counter; beyond what an int64_t holds it stops at the largest. */
static inline int64_t
decode_count(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* A number for which one value means "not known". */
static inline int64_t
decode_unless(uint64_t value, uint64_t unknown)
{
	return value == unknown ? ABSENT : decode_count(value);
}

struct ip decode_ip(const struct wire_addr *addr);
/* ABSENT for 0 where the protocol has no ports. */
int64_t decode_port(unsigned int port, unsigned int protocol);
/* What kernels call a process; at most WIRE_COMM_BYTES, perhaps without a NUL. NULL when empty. */
const char *decode_comm(struct event *event, const char comm[WIRE_COMM_BYTES]);
void decode_owner(struct event *event, const struct wire_owner *owner);
/* The program that its owner or task ran; nothing of a record that is too short for it. */
void decode_program(struct event *event, const struct wire_head *head, size_t offset);
void decode_started(struct event *event, const struct wire_head *head, size_t offset);
void decode_task(struct event *event, const struct wire_task *task);
void decode_protocol(struct event *event, unsigned int number);

/* 0 with *out set (NULL for an empty slice), or -EBADMSG. NULs inside become spaces. */
int decode_slice(struct event *event, const struct wire_head *head, struct wire_slice slice,
		 const char **out);

#endif /* EVENT_DECODE_H */
