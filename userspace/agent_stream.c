/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_stream - what the journal must hear of its stream: losses, and whose law binds the brokers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_private.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "probes.h"

#define INITIAL_PID_NS 0xEFFFFFFCu /* its number in every kernel */

void
agent_say_unread(struct agent *agent, uint64_t count)
{
	struct wire_gap gap = {
		.head = {.kind = WIRE_GAP,
			 .size = sizeof(gap),
			 .cpu = UINT32_MAX,
			 .time_ns = clock_boot_ns()},
		.loss = WIRE_LOSS_UNREAD,
		.count = count,
		.to_ns = clock_boot_ns(),
	};

	agent_record(&gap.head, agent);
}

/* A flow of ours to it, as it would be judged. */
static void
judge_address(struct agent *agent, struct event *event, const struct ip *ip, const char **verdict,
	      const char **rule)
{
	event_init(event, &event_flow);
	event->time_ns = clock_boot_ns();
	event->wall_ms = clock_wall_ms();
	event->dst = *ip;
	event->role = "client";
	event->moment = "open";
	event->protocol = 6;
	event->protocol_name = protocol_name(6);
	agent_verdict(agent, event, true, verdict, rule);
}

/* The v2 path of our own cgroup, or "". */
static void
own_cgroup(char *path, size_t room)
{
	struct buf text cleanup(buf_fini) = {0};
	const char *line = NULL;

	*path = '\0';
	if (buf_read_file(&text, "/proc/self/cgroup", 65536) == 0) {
		buf_addc(&text, '\0');
		line = text.failed ? NULL : strstr(text.data, "0::");
	}
	if (line && (line == text.data || line[-1] == '\n'))
		snprintf(path, room, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
}

/* Do our own connections pass the gate? */
static bool
is_watched(const struct agent *agent)
{
	const char *scope = agent->config->scope;
	char mount[512], own[4096];
	size_t length;

	if (!cgroup_mount_find(mount, sizeof(mount)))
		scope = scope_below(scope, mount);
	own_cgroup(own, sizeof(own));
	length = strlen(scope);
	while (length && scope[length - 1] == '/')
		length--;
	return strncmp(own, scope, length) == 0 && (!own[length] || own[length] == '/');
}

/* As every pid that is told: in the initial namespace. */
static int64_t
own_pid(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == INITIAL_PID_NS ? getpid()
											  : ABSENT;
}

/* What the gate cannot tell of us: no amounts, only who, where and when. */
static void
report_ourselves(struct agent *agent, struct event *event, const char *name)
{
	const char *colon = strrchr(name, ':');
	char exe[4096];
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[length > 0 ? length : 0] = '\0';
	event->dst_port = colon ? strtoll(colon + 1, NULL, 10) : ABSENT;
	event->process.name = "demarc";
	event->process.exe = length > 0 ? exe : NULL;
	event->process.pid = own_pid();
	event->process.uid = getuid();
	event->process.gid = getgid();
	agent_match(agent, event);
}

void
agent_say_broker(struct agent *agent, const char *name, const char *address)
{
	struct event event;
	const char *verdict = NULL, *rule;
	char text[WIRE_TEXT_BYTES];
	struct ip ip;

	if (ip_parse(&ip, address) < 0) {
		snprintf(text, sizeof(text), "streams to broker %.120s, whose address is not known",
			 name);
	} else {
		judge_address(agent, &event, &ip, &verdict, &rule);
		snprintf(text, sizeof(text),
			 "streams to broker %.100s at %s (%s), in %s, operator %s: %s%s%.60s", name,
			 address, event.dst_place.scope ? event.dst_place.scope : "?",
			 event.dst_place.location ? event.dst_place.location : "?",
			 event.dst_place.operator_country ? event.dst_place.operator_country : "?",
			 verdict, rule ? " by " : "", rule ? rule : "");
	}
	log_info("kafka", "%s", text);
	agent_say(agent, WIRE_LIFE_STREAM, text);
	if (verdict && !strcmp(verdict, rule_verdict_name(VERDICT_VIOLATION)) && !is_watched(agent))
		report_ourselves(agent, &event, name);
}
