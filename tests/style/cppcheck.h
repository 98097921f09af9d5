/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cppcheck.h - the shape of other libraries' macros, for cppcheck, which does not read them. */
#define HASH_ITER(hh, head, element, next)            for ((element) = (head); (element); (element) = (next))
#define HASH_FIND(hh, head, key, length, out)         ((out) = find(head, key, length))
#define LIBBPF_OPTS(type, name, ...)                  struct type name = {__VA_ARGS__}
#define bpf_object__for_each_program(program, object) for (;;)
#define bpf_object__for_each_map(map, object)         for (;;)
#define UT_hash_handle                                int
#define TAILQ_HEAD(name, type)      \
	struct name {               \
		struct type *first; \
	}
#define TAILQ_ENTRY(type)          \
	struct {                   \
		struct type *next; \
	}
#define TAILQ_FOREACH(var, head, field) \
	for ((var) = (head)->first; (var); (var) = (var)->field.next)
#define TAILQ_FOREACH_SAFE(var, head, field, tmp) TAILQ_FOREACH(var, head, field)
