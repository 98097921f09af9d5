/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ask - asks the kernel which programs run now. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "context/ask.h"

#define REST 10 /* times as long as an answer took: at most a tenth of the time is spent so */

static int
by_pid(const void *a, const void *b)
{
	const struct wire_running *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int
ask_all(struct asking *asking, struct answer *out)
{
	uint64_t from_ns = clock_boot_ns(), to_ns;
	int result;

	*out = (struct answer){0};
	if (!asking->fn)
		return -ENOTSUP;
	result = asking->fn(&out->all, &out->count, asking->arg);
	if (result < 0)
		return result;
	qsort(out->all, out->count, sizeof(*out->all), by_pid);
	to_ns = clock_boot_ns();
	asking->next_ns = to_ns + REST * (to_ns - from_ns);
	return 0;
}

void
answer_fini(struct answer *answer)
{
	free(answer->all);
}

const struct wire_running *
answer_find(const struct answer *answer, uint32_t pid)
{
	const struct wire_running key = {.pid = pid};

	return answer->count ? bsearch(&key, answer->all, answer->count, sizeof(key), by_pid)
			     : NULL;
}

bool
ask_is_free(const struct asking *asking)
{
	return !asking->next_ns || clock_boot_ns() >= asking->next_ns;
}

int
ask_one(struct asking *asking, uint32_t pid, struct wire_running *out)
{
	struct answer answer cleanup(answer_fini) = {0};
	const struct wire_running *found;
	int result;

	if (!asking->fn)
		return -ENOTSUP;
	if (!ask_is_free(asking))
		return -EAGAIN;
	result = ask_all(asking, &answer);
	if (result < 0)
		return result;
	found = answer_find(&answer, pid);
	if (!found)
		return -ESRCH;
	*out = *found;
	return 0;
}

bool
running_same(const struct wire_running *a, const struct wire_running *b)
{
	return a && b && a->program.execs && a->started_ns == b->started_ns &&
	       a->program.execs == b->program.execs;
}
