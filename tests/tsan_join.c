/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tsan_join - threads of C11 and pthread_clockjoin_np() that ThreadSanitizer sees.
 *
 * Debian 12's sanitizer follows the older pthread_timedjoin_np() alone, and takes a thread
 * joined by the other for one that still runs. And it follows none of C11's threads and locks,
 * which librdkafka has: it crashes in the first thread that it was not told of. Part of builds
 * with SAN=thread, and of no other.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#define NS_PER_S 1000000000ll

int
pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *until)
{
	struct timespec now, wall;
	long long wall_ns;

	clock_gettime(clock, &now);
	clock_gettime(CLOCK_REALTIME, &wall);
	wall_ns = (wall.tv_sec + until->tv_sec - now.tv_sec) * NS_PER_S + wall.tv_nsec +
		  until->tv_nsec - now.tv_nsec;
	wall.tv_sec = wall_ns / NS_PER_S;
	wall.tv_nsec = wall_ns % NS_PER_S;
	return pthread_timedjoin_np(thread, result, &wall);
}

struct begin {
	thrd_start_t function;
	void *arg;
};

static void *
begin(void *arg)
{
	struct begin own = *(struct begin *)arg;

	free(arg);
	return (void *)(intptr_t)own.function(own.arg);
}

int
thrd_create(thrd_t *thread, thrd_start_t function, void *arg)
{
	struct begin *own = malloc(sizeof(*own));

	if (!own)
		return thrd_nomem;
	*own = (struct begin){function, arg};
	if (pthread_create((pthread_t *)thread, NULL, begin, own) == 0)
		return thrd_success;
	free(own);
	return thrd_error;
}

int
thrd_join(thrd_t thread, int *result)
{
	void *value = NULL;
	int error = pthread_join((pthread_t)thread, &value);

	if (result)
		*result = (int)(intptr_t)value;
	return error ? thrd_error : thrd_success;
}

/* glibc's C11 locks are POSIX's under another name. */
int
mtx_init(mtx_t *mutex, int type)
{
	pthread_mutexattr_t kind;

	pthread_mutexattr_init(&kind);
	if (type & mtx_recursive)
		pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	return pthread_mutex_init((pthread_mutex_t *)mutex, &kind) ? thrd_error : thrd_success;
}

void
mtx_destroy(mtx_t *mutex)
{
	pthread_mutex_destroy((pthread_mutex_t *)mutex);
}

int
mtx_lock(mtx_t *mutex)
{
	return pthread_mutex_lock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int
mtx_unlock(mtx_t *mutex)
{
	return pthread_mutex_unlock((pthread_mutex_t *)mutex) ? thrd_error : thrd_success;
}

int
cnd_init(cnd_t *condition)
{
	return pthread_cond_init((pthread_cond_t *)condition, NULL) ? thrd_error : thrd_success;
}

void
cnd_destroy(cnd_t *condition)
{
	pthread_cond_destroy((pthread_cond_t *)condition);
}

int
cnd_signal(cnd_t *condition)
{
	return pthread_cond_signal((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int
cnd_broadcast(cnd_t *condition)
{
	return pthread_cond_broadcast((pthread_cond_t *)condition) ? thrd_error : thrd_success;
}

int
cnd_wait(cnd_t *condition, mtx_t *mutex)
{
	return pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex)
		       ? thrd_error
		       : thrd_success;
}

int
cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
	int error = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex,
					   until);

	return error == ETIMEDOUT ? thrd_timedout : error ? thrd_error : thrd_success;
}
