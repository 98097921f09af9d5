/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traffic.c - the command line of the traffic generator.
 *
 *	traffic [-c CGROUP] [-n NETNS] [-u UID] [-a ADDRESS] [-2 ADDRESS] [-p PORT] [-m]
 *		[-b BYTES] [-k COUNT] [-s SPREAD] [-r RATE] [-w HOLD_MS] [-d DEVICE] [-e MAC]
 *		VERB [COMMAND...]
 *
 * The cgroup is joined first and the namespace entered second, for the cgroup
 * tree may not be visible from there. -m maps an IPv4 address into IPv6.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

static int
run_command(const struct job *job, struct report *report)
{
	(void)report;
	if (!job->command[0])
		return -EINVAL;
	execvp(job->command[0], job->command);
	return -errno;
}

static const struct {
	const char *name;
	verb_fn fn;
} verbs[] = {
	{"tcp", send_tcp},          {"mptcp", send_mptcp},
	{"sctp", send_sctp},        {"fastopen", send_fastopen},
	{"quick", send_quick},      {"storm", send_storm},
	{"udp", send_udp},          {"udp-connected", send_udp_connected},
	{"udplite", send_udplite},  {"mmsg", send_mmsg},
	{"spray", send_spray},      {"callers", send_callers},
	{"gso", send_gso},          {"icmp", send_icmp},
	{"ping", send_ping},        {"raw", send_raw},
	{"packet", send_packet},    {"flood", send_flood},
	{"serve-tcp", serve_tcp},   {"serve-mptcp", serve_mptcp},
	{"serve-sctp", serve_sctp}, {"serve-udp", serve_udp},
	{"echo-udp", echo_udp},     {"exec", run_command},
};

const char *
payload(size_t bytes)
{
	static char text[1 << 20];

	if (bytes > sizeof(text))
		abort();
	memset(text, 'd', bytes);
	return text;
}

void
set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)address)->sin_port = htons(port);
}

void
note_port(int fd, struct report *report)
{
	struct sockaddr_storage local = {0};
	socklen_t length = sizeof(local);

	if (getsockname(fd, (struct sockaddr *)&local, &length) < 0)
		return;
	if (local.ss_family == AF_INET6)
		report->local_port = ntohs(((struct sockaddr_in6 *)&local)->sin6_port);
	else if (local.ss_family == AF_INET)
		report->local_port = ntohs(((struct sockaddr_in *)&local)->sin_port);
}

void
note_send(ssize_t result, struct report *report)
{
	if (result >= 0) {
		report->sent++;
		report->payload += (uint64_t)result;
		return;
	}
	report->failed++;
	report->error = errno;
}

void
hold(const struct job *job)
{
	struct timespec wait = {job->hold_ms / 1000, (long)(job->hold_ms % 1000) * 1000000};

	if (job->hold_ms)
		nanosleep(&wait, NULL);
}

static int
parse_address(struct sockaddr_storage *out, const char *text, bool mapped)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char longer[64];

	if (!mapped && inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return 0;
	}
	snprintf(longer, sizeof(longer), "%s%s", mapped ? "::ffff:" : "", text);
	if (inet_pton(AF_INET6, longer, &v6->sin6_addr) != 1)
		return -EINVAL;
	v6->sin6_family = AF_INET6;
	return 0;
}

static int
join_cgroup(const char *directory)
{
	char path[4096];
	int fd, result = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) < 0)
		result = -errno;
	if (fd >= 0)
		close(fd);
	return result;
}

static int
enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	close(fd);
	return 0;
}

static void
require(int result, const char *what)
{
	if (result == 0)
		return;
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(-result));
	exit(1);
}

struct request {
	struct job job;
	const char *cgroup, *netns, *address, *second;
	uid_t uid;
	bool mapped;
};

static void
parse_option(struct request *request, int option)
{
	struct job *job = &request->job;
	unsigned char *mac = job->mac;

	switch (option) {
	case 'c':
		request->cgroup = optarg;
		break;
	case 'n':
		request->netns = optarg;
		break;
	case 'u':
		request->uid = (uid_t)atoi(optarg);
		break;
	case 'a':
		request->address = optarg;
		break;
	case '2':
		request->second = optarg;
		break;
	case 'm':
		request->mapped = true;
		break;
	case 'p':
		job->port = (uint16_t)atoi(optarg);
		break;
	case 'b':
		job->bytes = strtoul(optarg, NULL, 10);
		break;
	case 'k':
		job->count = (unsigned int)strtoul(optarg, NULL, 10);
		break;
	case 's':
		job->spread = (unsigned int)atoi(optarg);
		break;
	case 'r':
		job->rate = (unsigned int)atoi(optarg);
		break;
	case 'w':
		job->hold_ms = (unsigned int)atoi(optarg);
		break;
	case 'd':
		job->device = optarg;
		break;
	case 'e':
		if (sscanf(optarg, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3,
			   mac + 4, mac + 5) == 6)
			break;
		/* fall through */
	default:
		exit(64);
	}
}

static void
settle(struct request *request)
{
	struct job *job = &request->job;

	if (request->address)
		require(parse_address(&job->to, request->address, request->mapped), "address");
	if (request->second)
		require(parse_address(&job->second, request->second, request->mapped), "address");
	set_port(&job->to, job->port);
	set_port(&job->second, job->port);
	job->to_length = job->to.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);
	if (request->cgroup)
		require(join_cgroup(request->cgroup), request->cgroup);
	if (request->netns)
		require(enter_netns(request->netns), request->netns);
	if (request->uid && setresuid(request->uid, request->uid, request->uid) < 0)
		require(-errno, "setresuid");
}

static int
perform(const struct job *job, verb_fn fn)
{
	struct report report = {0};
	int result = fn(job, &report);

	if (result < 0)
		report.error = -result;
	printf("{\"verb\":\"%s\",\"pid\":%d,\"local_port\":%u,\"sent\":%u,\"failed\":%u,"
	       "\"payload\":%llu,\"received\":%llu,\"tried\":%s,\"error\":\"%s\"}\n",
	       job->verb, getpid(), report.local_port, report.sent, report.failed,
	       (unsigned long long)report.payload, (unsigned long long)report.received,
	       result < 0 ? "false" : "true", report.error ? strerrorname_np(report.error) : "");
	return result < 0 || fflush(stdout) != 0;
}

int
main(int argc, char **argv)
{
	struct request request = {.job = {.bytes = 100, .count = 1, .spread = 1}};
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt(argc, argv, "+c:n:u:a:2:p:mb:k:s:r:w:d:e:")) != -1)
		parse_option(&request, option);
	if (optind >= argc)
		return 64;
	request.job.verb = argv[optind];
	request.job.command = argv + optind + 1;
	settle(&request);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, request.job.verb) == 0)
			return perform(&request.job, verbs[i].fn);
	}
	fprintf(stderr, "traffic: no verb '%s'\n", request.job.verb);
	return 64;
}
