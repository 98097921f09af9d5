/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_samples.h - one event of every kind and every moment, for tests that need them all. */
#ifndef EVENT_SAMPLES_H
#define EVENT_SAMPLES_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event.h"

struct sample {
	const char *name;
	unsigned int kind;
	void (*shape)(struct event *event);
};

static const char *const sample_law[] = {"eu", "eea", NULL};
static const char *const sample_tags[] = {"attack.t1567.002", "T1041", "TA0010", "egress", NULL};

static inline void
sample_owner(struct event *event)
{
	struct event_process *process = &event->process;

	process->pid = 4242;
	process->ppid = 4200;
	process->started_ns = 9007199254740993; /* 2^53 + 1: written as a string */
	process->uid = 1000;
	process->gid = 1000;
	process->loginuid = 1000;
	process->session = 7;
	process->cgroup = 12345;
	process->net_ns = 4026531840;
	process->name = "python3";
	process->exe = "/usr/bin/python3";
	process->argv = "python3 serve.py";
	process->user = "alice";
	process->login_user = "alice";
	process->parent_name = "bash";
	process->cgroup_path =
		"/kubepods.slice/kubepods-besteffort.slice/cri-containerd-3f4e.scope";
	process->container = "3f4e0000000000000000000000000000000000000000000000000000000000aa";
	process->runtime = "containerd";
	process->pod = "eb653d22-2525-47ca-9fc4-3762497ae1d2";
}

static inline void
sample_violation(struct event *event)
{
	struct event_judgement *judgement = &event->judgement;

	judgement->verdict = "violation";
	judgement->rule = "egress.outside-eea";
	judgement->title = "A client spoke to a place outside the EEA";
	judgement->level = "high";
	judgement->severity = 4;
	judgement->alert = true;
	judgement->tags = sample_tags;
	judgement->policy = "eu-residency";
	judgement->policy_version = "1";
	judgement->policy_digest = "00112233";
}

static inline void
sample_network(struct event *event)
{
	sample_owner(event);
	ip_parse(&event->src, "10.42.0.17");
	ip_parse(&event->dst, "203.0.113.7");
	ip_parse(&event->requested, "10.96.0.10");
	event->src_port = 51512;
	event->dst_port = 443;
	event->requested_port = 80;
	event->protocol = 6;
	event->protocol_name = "tcp";
	event->basis = "connect";
	event->cookie = 9007199254740993;
	event->noted_ns = 9007199254740994;
	event->dst_place = (struct event_place){
		.scope = "public",
		.location = "CN",
		.location_source = "mmdb",
		.operator_country = "CN",
		.operator_source = "mmdb",
		.operator_name = "Example \"Net\"",
		.asn = 64500,
		.provider = "example",
		.region = "cn-1",
		.location_law = sample_law,
		.operator_law = sample_law + 2,
	};
	sample_violation(event);
}

static inline void
sample_flow(struct event *event)
{
	sample_network(event);
	event->role = "client";
	event->witness = "gate";
	event->moment = "open";
	event->bytes = 1234567;
	event->wire_bytes = 1300000;
	event->packets = 42;
	event->bytes_in = 9876;
	event->delta_bytes = 1234;
	event->delta_packets = 2;
	event->duration_ms = 1500;
}

static inline void
sample_update(struct event *event)
{
	sample_flow(event);
	event->moment = "update";
}

static inline void
sample_close(struct event *event)
{
	sample_flow(event);
	event->moment = "close";
}

static inline void
sample_folded(struct event *event)
{
	sample_flow(event);
	event->judgement.phase = "update";
	event->judgement.count = 17;
	event->judgement.first_ms = 1795430300000;
	event->judgement.last_ms = 1795430400000;
}

static inline void
sample_allowed(struct event *event)
{
	sample_folded(event);
	event->judgement = (struct event_judgement){.verdict = "allowed",
						    .severity = 1,
						    .level = "informational",
						    .count = 5,
						    .first_ms = 1795430300000,
						    .last_ms = 1795430400000};
}

static inline void
sample_stray(struct event *event)
{
	ip_parse(&event->src, "2001:db8::1");
	ip_parse(&event->dst, "2001:db8::2");
	event->protocol = 58;
	event->basis = "unknown";
	event->role = "unknown";
	event->witness = "nic";
	event->moment = "open";
	event->dst_place.scope = "documentation";
	event->judgement.verdict = "unknown";
}

static inline void
sample_odd_protocol(struct event *event)
{
	sample_flow(event);
	event->protocol = 253;
	event->protocol_name = NULL;
	event->src_port = event->dst_port = ABSENT;
	event->dst_place = (struct event_place){.scope = "own", .asn = ABSENT};
	event->process.container = event->process.pod = event->process.runtime = NULL;
	event->process.unit = "nginx.service";
}

/* A name cut in the middle of a character, as the kernel does, and hostile bytes. */
static inline void
sample_bytes(struct event *event)
{
	sample_flow(event);
	event->process.name = "caf\xc3";
	event->process.exe = "/tmp/\xed\xa0\x80\"\\\x01\x1f\x7f\xe2\x82\xac";
	event->process.argv = "\xff\xfe";
	event->process.cgroup_path = "/a\nb\xf5";
	event->process.parent_name = "\x80";
}

static inline void
sample_refused(struct event *event)
{
	sample_network(event);
	event->error = ECONNREFUSED;
	event->outcome = "refused";
}

static inline void
sample_timeout(struct event *event)
{
	sample_network(event);
	event->error = ETIMEDOUT;
	event->outcome = "timeout";
}

static inline void
sample_aborted(struct event *event)
{
	sample_network(event);
	event->error = 0;
	event->outcome = "aborted";
}

static inline void
sample_strange(struct event *event)
{
	sample_network(event);
	event->error = 3999;
	event->outcome = "failed";
	memset(&event->dst, 0, sizeof(event->dst));
}

static inline void
sample_seeded(struct event *event)
{
	sample_owner(event);
	event->seeded = true;
}

static inline void
sample_bare(struct event *event)
{
	event->process.pid = 1;
}

static inline void
sample_exited(struct event *event)
{
	sample_owner(event);
	event->exit_code = 0;
	sample_violation(event);
}

static inline void
sample_killed(struct event *event)
{
	sample_owner(event);
	event->exit_signal = 9;
}

static inline void
sample_hole(struct event *event)
{
	event->reason = "ring";
	event->missing = "flow";
	event->lost = 12;
	event->lost_cpu = 1;
	event->lost_sequence = 99;
	event->from_ms = 1795430300000;
	event->to_ms = 1795430400000;
}

static inline void
sample_overflow(struct event *event)
{
	sample_hole(event);
	event->reason = "table";
	event->lost_bytes = 1000000;
	event->lost_packets = 1000;
	sample_violation(event);
	event->judgement.count = 2;
	event->judgement.first_ms = event->judgement.last_ms = 1795430300000;
}

static inline void
sample_down(struct event *event)
{
	event->reason = "down";
}

static inline void
sample_start(struct event *event)
{
	event->reason = "start";
	event->message = "demarc 0.1.0 started";
}

static inline void
sample_stop(struct event *event)
{
	event->reason = "stop";
}

static inline void
sample_reload(struct event *event)
{
	event->reason = "reload";
	event->message = "rules \xff reloaded";
}

static inline void
sample_reload_failed(struct event *event)
{
	event->reason = "reload-failed";
}

static inline void
sample_coverage(struct event *event)
{
	event->reason = "coverage";
}

static const struct sample samples[] = {
	{"flow open", WIRE_FLOW, sample_flow},
	{"flow update", WIRE_FLOW, sample_update},
	{"flow close", WIRE_FLOW, sample_close},
	{"flow folded", WIRE_FLOW, sample_folded},
	{"flow allowed sum", WIRE_FLOW, sample_allowed},
	{"flow unattributed", WIRE_FLOW, sample_stray},
	{"flow odd protocol", WIRE_FLOW, sample_odd_protocol},
	{"flow bytes", WIRE_FLOW, sample_bytes},
	{"connect refused", WIRE_CONNECT, sample_refused},
	{"connect timeout", WIRE_CONNECT, sample_timeout},
	{"connect aborted", WIRE_CONNECT, sample_aborted},
	{"connect strange errno", WIRE_CONNECT, sample_strange},
	{"fork", WIRE_FORK, sample_owner},
	{"fork bare", WIRE_FORK, sample_bare},
	{"exec", WIRE_EXEC, sample_owner},
	{"exec seeded", WIRE_EXEC, sample_seeded},
	{"exit code", WIRE_EXIT, sample_exited},
	{"exit signal", WIRE_EXIT, sample_killed},
	{"gap ring", WIRE_GAP, sample_hole},
	{"gap table, judged", WIRE_GAP, sample_overflow},
	{"gap down", WIRE_GAP, sample_down},
	{"agent start", WIRE_AGENT, sample_start},
	{"agent stop", WIRE_AGENT, sample_stop},
	{"agent reload", WIRE_AGENT, sample_reload},
	{"agent reload failed", WIRE_AGENT, sample_reload_failed},
	{"agent coverage", WIRE_AGENT, sample_coverage},
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static const struct event_stamp sample_stamp = {
	.uid = "000102030405060708090a0b0c0d0e0f",
	.sequence = 17,
	.log_name = "prod/node-1/2026-11-23",
	.logged_ms = 1795430400125,
	.node = "node-1",
	.cluster = "prod",
	.version = "0.1.0",
	.boot_id = "11111111-2222-3333-4444-555555555555",
};

static inline void
sample_make(struct event *event, const struct sample *sample)
{
	event_init(event, event_type_by_kind(sample->kind));
	event->time_ns = 9007199256740993;
	event->wall_ms = 1795430400123;
	sample->shape(event);
}

#endif /* EVENT_SAMPLES_H */
