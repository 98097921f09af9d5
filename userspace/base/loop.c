/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* loop.c - epoll for descriptors, its timeout for timers, a signalfd for signals. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define TIMERS_MAX  8
#define SIGNALS_MAX 8
#define BATCH       32
#define NS_IN_MS    UINT64_C(1000000)

struct watch {
	int fd;
	uint32_t serial; /* tells a descriptor from a later one with the same number */
	loop_fn fn;
	void *arg;
};

struct timer {
	uint64_t period_ns;
	uint64_t due_ns;
	loop_fn fn;
	void *arg;
};

struct signal_watch {
	int number;
	loop_fn fn;
	void *arg;
};

struct loop {
	int epoll_fd;
	int signal_fd;
	struct watch *watches;
	size_t watch_count;
	size_t watch_room;
	uint32_t serial;
	struct timer timers[TIMERS_MAX];
	size_t timer_count;
	struct signal_watch signals[SIGNALS_MAX];
	size_t signal_count;
	sigset_t mask;
};

DEFINE_DROP(struct loop *, loop, loop_free)

int
loop_new(struct loop **out)
{
	struct loop *loop cleanup(loop_drop) = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	sigemptyset(&loop->mask);
	loop->signal_fd = -1;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	*out = take(loop);
	return 0;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	fd_drop(&loop->signal_fd);
	fd_drop(&loop->epoll_fd);
	free(loop->watches);
	free(loop);
}

static struct watch *
find_watch(struct loop *loop, int fd)
{
	for (size_t i = 0; i < loop->watch_count; i++)
		if (loop->watches[i].fd == fd)
			return &loop->watches[i];
	return NULL;
}

static int
make_room(struct loop *loop)
{
	size_t room = loop->watch_room ? 2 * loop->watch_room : 8;
	struct watch *watches;

	if (loop->watch_count < loop->watch_room)
		return 0;
	watches = realloc(loop->watches, room * sizeof(*watches));
	if (!watches)
		return -ENOMEM;
	loop->watches = watches;
	loop->watch_room = room;
	return 0;
}

int
loop_watch(struct loop *loop, int fd, loop_fn fn, void *arg)
{
	struct watch watch = {.fd = fd, .serial = loop->serial + 1, .fn = fn, .arg = arg};
	struct epoll_event event = {.events = EPOLLIN};
	int err = make_room(loop);

	if (err)
		return err;
	event.data.u64 = (uint64_t)watch.serial << 32 | (uint32_t)fd;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	loop->serial++;
	loop->watches[loop->watch_count++] = watch;
	return 0;
}

void
loop_unwatch(struct loop *loop, int fd)
{
	struct watch *watch = find_watch(loop, fd);

	if (!watch)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*watch = loop->watches[--loop->watch_count];
}

int
loop_every(struct loop *loop, unsigned int period_ms, loop_fn fn, void *arg)
{
	struct timer *timer = &loop->timers[loop->timer_count];

	if (period_ms == 0)
		return -EINVAL;
	if (loop->timer_count == TIMERS_MAX)
		return -ENOSPC;
	timer->period_ns = period_ms * NS_IN_MS;
	timer->due_ns = clock_boot_ns() + timer->period_ns;
	timer->fn = fn;
	timer->arg = arg;
	loop->timer_count++;
	return 0;
}

static void
call_signal(const struct loop *loop, int number)
{
	for (size_t i = 0; i < loop->signal_count; i++)
		if (loop->signals[i].number == number)
			loop->signals[i].fn(loop->signals[i].arg);
}

static void
read_signals(void *arg)
{
	const struct loop *loop = arg;
	struct signalfd_siginfo info;

	while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		call_signal(loop, (int)info.ssi_signo);
}

/* Reads a signal of mask from now on; the descriptor is made at the first. */
static int
open_signals(struct loop *loop, const sigset_t *mask)
{
	int fd = signalfd(loop->signal_fd, mask, SFD_NONBLOCK | SFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (loop->signal_fd >= 0)
		return 0;
	loop->signal_fd = fd;
	err = loop_watch(loop, fd, read_signals, loop);
	if (err) {
		close(fd);
		loop->signal_fd = -1;
	}
	return err;
}

int
loop_signal(struct loop *loop, int signal_number, loop_fn fn, void *arg)
{
	struct signal_watch watch = {signal_number, fn, arg};
	sigset_t mask = loop->mask;
	int err;

	if (loop->signal_count == SIGNALS_MAX)
		return -ENOSPC;
	if (sigaddset(&mask, signal_number) < 0)
		return -errno;
	err = open_signals(loop, &mask);
	if (err)
		return err;
	err = pthread_sigmask(SIG_BLOCK, &mask, NULL);
	if (err)
		return -err;
	loop->mask = mask;
	loop->signals[loop->signal_count++] = watch;
	return 0;
}

/* How long to wait, rounded up so that a timer is due when the wait is over. */
static int
choose_wait_ms(const struct loop *loop, int timeout_ms)
{
	uint64_t now_ns = loop->timer_count ? clock_boot_ns() : 0;

	for (size_t i = 0; i < loop->timer_count; i++) {
		uint64_t due_ns = loop->timers[i].due_ns, wait_ms = 0;

		if (due_ns > now_ns)
			wait_ms = (due_ns - now_ns + NS_IN_MS - 1) / NS_IN_MS;
		if (timeout_ms < 0 || wait_ms < (uint64_t)timeout_ms)
			timeout_ms = wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms;
	}
	return timeout_ms;
}

/* A watch may have been taken back by a function called before it in this turn. */
static void
call_watch(struct loop *loop, uint64_t key)
{
	struct watch *watch = find_watch(loop, (int)(uint32_t)key);

	if (watch && watch->serial == key >> 32)
		watch->fn(watch->arg);
}

/* Ticks that were missed are skipped, not made up for. */
static void
call_timers(struct loop *loop)
{
	uint64_t now_ns = loop->timer_count ? clock_boot_ns() : 0;

	for (size_t i = 0; i < loop->timer_count; i++) {
		struct timer *timer = &loop->timers[i];

		if (timer->due_ns > now_ns)
			continue;
		timer->due_ns += timer->period_ns;
		if (timer->due_ns <= now_ns)
			timer->due_ns = now_ns + timer->period_ns;
		timer->fn(timer->arg);
	}
}

int
loop_turn(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[BATCH];
	int count = epoll_wait(loop->epoll_fd, events, BATCH, choose_wait_ms(loop, timeout_ms));

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count; i++)
		call_watch(loop, events[i].data.u64);
	call_timers(loop);
	return 0;
}
