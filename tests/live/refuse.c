/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* refuse.c - preloaded into the agent: a kernel that takes no iterators. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS 6

static int
is_refused(const long *arguments)
{
	const union bpf_attr *attributes = (const union bpf_attr *)arguments[1];

	return arguments[0] == BPF_LINK_CREATE &&
	       attributes->link_create.attach_type == BPF_TRACE_ITER;
}

long
syscall(long number, ...)
{
	long (*function)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[ARGUMENTS];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < ARGUMENTS; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && is_refused(a)) {
		errno = ENOTSUP;
		return -1;
	}
	return function(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
