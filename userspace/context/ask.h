/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ask.h - asks the kernel which programs run now.
 *
 * /proc shows what a process is, and not since when. The kernel's answer before and
 * after a look says whether it was one program all the time, and which of those that
 * records speak of.
 */
#ifndef CONTEXT_ASK_H
#define CONTEXT_ASK_H

#include <stdbool.h>

#include "context.h"

struct asking {
	context_running_fn fn; /* NULL: nobody can be asked */
	void *arg;
	uint64_t next_ns; /* not before: it takes time that grows with the node */
};

struct answer {
	struct wire_running *all; /* by pid */
	size_t count;
};

/* -ENOTSUP where nobody can be asked. */
int ask_all(struct asking *asking, struct answer *out);
void answer_fini(struct answer *answer);
const struct wire_running *answer_find(const struct answer *answer, uint32_t pid);

/* Has enough time passed since the last answer? */
bool ask_is_free(const struct asking *asking);
/* Of one process. -EAGAIN: it has not. */
int ask_one(struct asking *asking, uint32_t pid, struct wire_running *out);

bool running_same(const struct wire_running *a, const struct wire_running *b);

#endif /* CONTEXT_ASK_H */
