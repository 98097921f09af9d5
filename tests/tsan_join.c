/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tsan_join - pthread_clockjoin_np() that ThreadSanitizer sees.
 *
 * Debian 12's sanitizer follows the older pthread_timedjoin_np() alone, and takes a thread
 * joined by the other for one that still runs. Part of builds with SAN=thread, and of no other.
 */
#include <pthread.h>
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
