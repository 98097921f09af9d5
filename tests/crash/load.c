/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * load.c - steady traffic whose every connection, datagram and byte is counted.
 *
 *	load -c CGROUP -n NETNS -a ADDRESS [-a ADDRESS]... [-p PORT] [-b BYTES] [-r RATE]
 *	     [-k COUNT] [-t SECONDS] [-s SOCKETS] [-w PORTS] VERB
 *
 * The addresses take turns, RATE times a second (0: as fast as it goes), until
 * COUNT, SECONDS or SIGTERM. Then one line of JSON says for each address what was
 * begun (flows), what failed, how many messages were sent and how many bytes.
 *
 *	tcp		a connection each: send, say so, wait for the peer, close
 *	refused		a connection each, to a port where nobody listens
 *	stream		one connection for each address, a message each turn
 *	udp		SOCKETS sockets, kept; each sends to each address
 *	udp-once	a socket for each datagram
 *	scatter		one socket; each datagram to the next of PORTS, then to the next address,
 *			and at last again to the first of both
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGETS     64
#define SOCKETS     256
#define BYTES       65536
#define FIRST_PORT  1024u
#define PORTS       60000u
#define CLOCK_EVERY 64 /* turns between looks at the clock where nothing else slows us */

struct target {
	struct sockaddr_in to;
	uint64_t begun;
	uint64_t failed;
	uint64_t sent;
	uint64_t payload;
	int error; /* errno of the last failure */
	int fd;    /* stream: its connection */
};

struct load {
	struct target targets[TARGETS];
	size_t target_count;
	unsigned int bytes;
	unsigned int rate;
	unsigned int seconds;
	unsigned int sockets;
	unsigned int ports;
	uint64_t count;
	uint64_t turn;
	int fds[SOCKETS];
	unsigned int next_port;
	struct timespec began;
	char text[BYTES];
};

typedef void (*verb_fn)(struct load *load, struct target *target);

static volatile sig_atomic_t stopped;

static void
on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static void
require(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
note_failure(struct target *target)
{
	target->failed++;
	target->error = errno;
}

static void
note_sent(struct target *target, ssize_t length)
{
	if (length < 0) {
		note_failure(target);
		return;
	}
	target->sent++;
	target->payload += (uint64_t)length;
}

static int
open_socket(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	require(fd, "socket");
	return fd;
}

static int
reach(struct target *target)
{
	int fd = open_socket(SOCK_STREAM);

	target->begun++;
	if (connect(fd, (const struct sockaddr *)&target->to, sizeof(target->to)) == 0)
		return fd;
	note_failure(target);
	close(fd);
	return -1;
}

/* The last acknowledgement must come from this socket: close only after the peer did. */
static void
leave(int fd)
{
	char rest[256];

	shutdown(fd, SHUT_WR);
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	close(fd);
}

static void
turn_tcp(struct load *load, struct target *target)
{
	int fd = reach(target);

	if (fd < 0)
		return;
	if (load->bytes)
		note_sent(target, send(fd, load->text, load->bytes, MSG_NOSIGNAL));
	leave(fd);
}

static void
turn_refused(struct load *load, struct target *target)
{
	int fd = reach(target);

	(void)load;
	if (fd >= 0)
		close(fd);
}

static void
turn_stream(struct load *load, struct target *target)
{
	if (target->fd < 0)
		target->fd = reach(target);
	if (target->fd >= 0)
		note_sent(target, send(target->fd, load->text, load->bytes, MSG_NOSIGNAL));
}

static void
send_to(const struct load *load, int fd, struct target *target)
{
	note_sent(target, sendto(fd, load->text, load->bytes, 0,
				 (const struct sockaddr *)&target->to, sizeof(target->to)));
}

/* Every socket meets every target once in sockets * targets turns; the first time begins a flow. */
static void
turn_udp(struct load *load, struct target *target)
{
	uint64_t round = load->turn / load->target_count;
	int *fd = &load->fds[round % load->sockets];

	if (*fd < 0)
		*fd = open_socket(SOCK_DGRAM);
	target->begun += round < load->sockets;
	send_to(load, *fd, target);
}

static void
turn_udp_once(struct load *load, struct target *target)
{
	int fd = open_socket(SOCK_DGRAM);

	target->begun++;
	send_to(load, fd, target);
	close(fd);
}

/* The ports of all targets in step: the address changes when the ports are through. */
static void
turn_scatter(struct load *load, struct target *unused)
{
	uint64_t round = load->turn / load->ports;
	struct target *target = &load->targets[round % load->target_count];

	(void)unused;
	if (load->fds[0] < 0)
		load->fds[0] = open_socket(SOCK_DGRAM);
	target->to.sin_port = htons((uint16_t)(FIRST_PORT + load->turn % load->ports));
	target->begun += round < load->target_count;
	send_to(load, load->fds[0], target);
}

static const struct {
	const char *name;
	verb_fn fn;
	unsigned int protocol;
} verbs[] = {
	{"tcp", turn_tcp, IPPROTO_TCP},           {"refused", turn_refused, IPPROTO_TCP},
	{"stream", turn_stream, IPPROTO_TCP},     {"udp", turn_udp, IPPROTO_UDP},
	{"udp-once", turn_udp_once, IPPROTO_UDP}, {"scatter", turn_scatter, IPPROTO_UDP},
};

/* Sleep until this turn is due. A stream that fell behind catches up. */
static void
pace(const struct load *load)
{
	struct timespec due = load->began;

	if (load->rate == 0)
		return;
	due.tv_sec += (time_t)(load->turn / load->rate);
	due.tv_nsec += (long)(load->turn % load->rate * (1000000000ull / load->rate));
	if (due.tv_nsec >= 1000000000) {
		due.tv_nsec -= 1000000000;
		due.tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static double
elapsed(const struct load *load)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - load->began.tv_sec) +
	       (double)(now.tv_nsec - load->began.tv_nsec) / 1e9;
}

static bool
is_over(const struct load *load)
{
	if (stopped || (load->count && load->turn >= load->count))
		return true;
	return load->seconds && load->turn % CLOCK_EVERY == 0 && elapsed(load) >= load->seconds;
}

static void
run(struct load *load, verb_fn fn)
{
	clock_gettime(CLOCK_MONOTONIC, &load->began);
	for (; !is_over(load); load->turn++) {
		pace(load);
		if (stopped)
			break;
		fn(load, &load->targets[load->turn % load->target_count]);
	}
	for (size_t i = 0; i < load->target_count; i++)
		if (load->targets[i].fd >= 0)
			leave(load->targets[i].fd);
}

static void
report(const struct load *load, const char *verb, unsigned int protocol)
{
	char address[INET_ADDRSTRLEN];

	printf("{\"verb\":\"%s\",\"pid\":%d,\"seconds\":%.3f,\"targets\":[", verb, getpid(),
	       elapsed(load));
	for (size_t i = 0; i < load->target_count; i++) {
		const struct target *t = &load->targets[i];

		inet_ntop(AF_INET, &t->to.sin_addr, address, sizeof(address));
		printf("%s{\"address\":\"%s\",\"port\":%u,\"protocol\":%u,\"begun\":%llu,"
		       "\"failed\":%llu,\"sent\":%llu,\"payload\":%llu,\"error\":\"%s\"}",
		       i ? "," : "", address, ntohs(t->to.sin_port), protocol,
		       (unsigned long long)t->begun, (unsigned long long)t->failed,
		       (unsigned long long)t->sent, (unsigned long long)t->payload,
		       t->error ? strerrorname_np(t->error) : "");
	}
	puts("]}");
}

static void
add_target(struct load *load, const char *address)
{
	struct target *target = &load->targets[load->target_count];

	if (load->target_count == TARGETS)
		exit(64);
	load->target_count++;
	target->fd = -1;
	target->to.sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &target->to.sin_addr) != 1)
		exit(64);
}

static void
join_cgroup(const char *cgroup)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	require(fd, path);
	require((int)write(fd, "0", 1), path);
	close(fd);
}

static void
enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	require(fd, path);
	require(setns(fd, CLONE_NEWNET), path);
	close(fd);
}

static unsigned int
number(const char *text)
{
	return (unsigned int)strtoul(text, NULL, 10);
}

static void
parse(struct load *load, int argc, char **argv)
{
	unsigned int port = 9;
	int option;

	while ((option = getopt(argc, argv, "c:n:a:p:b:r:k:t:s:w:")) != -1) {
		switch (option) {
		case 'c':
			join_cgroup(optarg);
			break;
		case 'n':
			enter_netns(optarg);
			break;
		case 'a':
			add_target(load, optarg);
			break;
		case 'p':
			port = number(optarg);
			break;
		case 'b':
			load->bytes = number(optarg);
			break;
		case 'r':
			load->rate = number(optarg);
			break;
		case 'k':
			load->count = strtoull(optarg, NULL, 10);
			break;
		case 't':
			load->seconds = number(optarg);
			break;
		case 's':
			load->sockets = number(optarg);
			break;
		case 'w':
			load->ports = number(optarg);
			break;
		default:
			exit(64);
		}
	}
	for (size_t i = 0; i < load->target_count; i++)
		load->targets[i].to.sin_port = htons((uint16_t)port);
	if (optind + 1 != argc || !load->target_count || load->bytes > BYTES || !load->sockets ||
	    load->sockets > SOCKETS || !load->ports || load->ports > PORTS)
		exit(64);
}

int
main(int argc, char **argv)
{
	static struct load load = {.bytes = 100, .sockets = 1, .ports = PORTS};
	struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

	memset(load.fds, -1, sizeof(load.fds));
	sigaction(SIGTERM, &stop, NULL);
	parse(&load, argc, argv);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[optind]) != 0)
			continue;
		run(&load, verbs[i].fn);
		report(&load, verbs[i].name, verbs[i].protocol);
		return fflush(stdout) != 0;
	}
	fprintf(stderr, "load: no verb '%s'\n", argv[optind]);
	return 64;
}
