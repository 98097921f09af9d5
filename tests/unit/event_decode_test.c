/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_decode_test - what records say reaches the event; what is not known stays absent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "event.h"

static struct event event;

static const struct wire_flow flow = {
	.head = {.kind = WIRE_FLOW, .size = sizeof(struct wire_flow), .time_ns = 5000000000},
	.owner = {.pid = 42,
		  .uid = 1000,
		  .gid = 100,
		  .basis = WIRE_BASIS_CONNECT,
		  .noted_ns = 9,
		  .cgroup = 77,
		  .comm = "sixteen-bytes-xy"},
	.cookie = 5,
	.src = {.ip = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1}},
	.dst = {.ip = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 7}},
	.requested = {.ip = {[10] = 0xff, [11] = 0xff, 10, 96, 0, 10}},
	.src_port = 51512,
	.dst_port = 443,
	.requested_port = 80,
	.protocol = 6,
	.role = WIRE_ROLE_CLIENT,
	.moment = WIRE_MOMENT_CLOSE,
	.witness = WIRE_WITNESS_GATE,
	.flags = WIRE_FLOW_RECEIVED | WIRE_FLOW_REQUESTED,
	.bytes = 1000,
	.wire_bytes = 1100,
	.packets = 3,
	.first_ns = 1000000000,
	.last_ns = 2500000000,
	.bytes_in = 70,
	.told_bytes = 600,
	.told_packets = 2,
};

static void
flow_says_all(void **state)
{
	char text[IP_TEXT];

	(void)state;
	assert_int_equal(event_decode(&event, &flow.head), 0);
	assert_ptr_equal(event.type, &event_flow);
	assert_int_equal(event.time_ns, 5000000000);
	assert_int_equal(event.process.pid, 42);
	assert_int_equal(event.process.cgroup, 77);
	assert_string_equal(event.process.name, "sixteen-bytes-xy");
	assert_int_equal(event.noted_ns, 9);
	assert_string_equal(event.basis, "connect");
	assert_string_equal(ip_format(&event.dst, text), "203.0.113.7");
	assert_string_equal(ip_format(&event.requested, text), "10.96.0.10");
	assert_int_equal(event.requested_port, 80);
	assert_string_equal(event.protocol_name, "tcp");
	assert_string_equal(event.role, "client");
	assert_string_equal(event.moment, "close");
	assert_string_equal(event.witness, "gate");
	assert_int_equal(event.duration_ms, 1500);
	assert_int_equal(event.bytes_in, 70);
	assert_int_equal(event.delta_bytes, 400);
	assert_int_equal(event.delta_packets, 1);
	assert_int_equal(event.wall_ms, ABSENT);
	event_set_wall(&event, 1000);
	assert_int_equal(event.wall_ms, 6000);
}

/* Added up, the records of a flow give what it sent; also those of before there was told_bytes. */
static void
flow_says_what_is_new(void **state)
{
	static const struct {
		__u8 moment;
		bool old;
		__u64 told;
		int64_t bytes, packets;
	} cases[] = {
		{WIRE_MOMENT_OPEN, false, 0, 0, 0},     {WIRE_MOMENT_UPDATE, false, 0, 1000, 3},
		{WIRE_MOMENT_UPDATE, false, 999, 1, 3}, {WIRE_MOMENT_CLOSE, false, 1000, 0, 3},
		{WIRE_MOMENT_CLOSE, false, 1001, 0, 3}, {WIRE_MOMENT_OPEN, true, 0, 0, 0},
		{WIRE_MOMENT_UPDATE, true, 7, 0, 0},    {WIRE_MOMENT_CLOSE, true, 7, 1000, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_flow one = flow;

		one.moment = cases[i].moment;
		one.told_bytes = cases[i].told;
		one.told_packets = 0;
		if (cases[i].old)
			one.head.size = 200;
		assert_int_equal(event_decode(&event, &one.head), 0);
		assert_int_equal(event.bytes, 1000);
		assert_int_equal(event.delta_bytes, cases[i].bytes);
		assert_int_equal(event.delta_packets, cases[i].packets);
	}
}

static void
flow_leaves_out_what_is_unknown(void **state)
{
	struct wire_flow bare = flow;

	(void)state;
	bare.owner.basis = WIRE_BASIS_UNKNOWN;
	bare.flags = 0;
	bare.protocol = 1;
	bare.src_port = bare.dst_port = 0;
	bare.cookie = 0;
	bare.bytes = UINT64_MAX;
	bare.last_ns = 0;
	bare.role = 99;
	assert_int_equal(event_decode(&event, &bare.head), 0);
	assert_string_equal(event.basis, "unknown");
	assert_int_equal(event.process.pid, ABSENT);
	assert_int_equal(event.process.uid, ABSENT);
	assert_int_equal(event.process.cgroup, ABSENT);
	assert_null(event.process.name);
	assert_int_equal(event.bytes_in, ABSENT);
	assert_int_equal(event.requested_port, ABSENT);
	assert_int_equal(event.dst_port, ABSENT);
	assert_int_equal(event.cookie, ABSENT);
	assert_int_equal(event.bytes, INT64_MAX);
	assert_int_equal(event.duration_ms, ABSENT);
	assert_null(event.role);
}

static void
connect_names_its_outcome(void **state)
{
	static const struct {
		int error;
		const char *outcome;
		int activity_id;
	} cases[] = {
		{0, "aborted", 4},
		{ECONNREFUSED, "refused", 5},
		{-ECONNREFUSED, "refused", 5},
		{ETIMEDOUT, "timeout", 4},
		{EHOSTUNREACH, "unreachable", 4},
		{ENETUNREACH, "unreachable", 4},
		{EACCES, "failed", 4},
		{INT32_MIN, "failed", 4},
	};
	struct wire_connect attempt = {.head = {.kind = WIRE_CONNECT, .size = sizeof(attempt)},
				       .protocol = 6};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		attempt.error = cases[i].error;
		assert_int_equal(event_decode(&event, &attempt.head), 0);
		assert_string_equal(event.outcome, cases[i].outcome);
		assert_int_equal(event.type->activity_id(&event), cases[i].activity_id);
	}
}

struct long_exec {
	struct wire_exec exec;
	char text[64];
};

static void
exec_copies_its_slices(void **state)
{
	struct long_exec record = {
		.exec = {.head = {.kind = WIRE_EXEC, .size = sizeof(record)},
			 .task = {.pid = 7, .loginuid = 4294967295u, .session = 4294967295u},
			 .exe = {sizeof(struct wire_exec), 8},
			 .argv = {sizeof(struct wire_exec) + 8, 7},
			 .flags = WIRE_EXEC_SEEDED},
		.text = "/bin/catcat\0-n\0",
	};

	(void)state;
	assert_int_equal(event_decode(&event, &record.exec.head), 0);
	memset(record.text, 'x', sizeof(record.text));
	assert_string_equal(event.process.exe, "/bin/cat");
	assert_string_equal(event.process.argv, "cat -n");
	assert_null(event.process.cgroup_path);
	assert_int_equal(event.process.loginuid, ABSENT);
	assert_int_equal(event.process.session, ABSENT);
	assert_int_equal(event.process.started_ns, ABSENT);
	assert_true(event.seeded);

	record.exec.argv = (struct wire_slice){sizeof(record), 0};
	assert_int_equal(event_decode(&event, &record.exec.head), 0);
	assert_null(event.process.argv);
	record.exec.argv = (struct wire_slice){sizeof(record) - 1, 2};
	assert_int_equal(event_decode(&event, &record.exec.head), -EBADMSG);
	record.exec.argv = (struct wire_slice){65535, 65535};
	assert_int_equal(event_decode(&event, &record.exec.head), -EBADMSG);
}

static void
exit_tells_code_from_signal(void **state)
{
	struct wire_exit record = {.head = {.kind = WIRE_EXIT, .size = sizeof(record)}};

	(void)state;
	record.status = 3 << 8;
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_int_equal(event.exit_code, 3);
	assert_int_equal(event.exit_signal, ABSENT);
	record.status = 9 | 0x80;
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_int_equal(event.exit_code, ABSENT);
	assert_int_equal(event.exit_signal, 9);
}

static void
gap_keeps_the_hole(void **state)
{
	struct wire_gap record = {
		.head = {.kind = WIRE_GAP, .size = sizeof(record), .cpu = 3, .time_ns = 9000000},
		.loss = WIRE_LOSS_RING,
		.missing_kind = WIRE_FLOW,
		.count = 12,
		.first_sequence = 99,
		.from_ns = 5000000,
		.to_ns = 8000000};

	(void)state;
	assert_int_equal(event_decode(&event, &record.head), 0);
	event_set_wall(&event, 100);
	assert_string_equal(event.reason, "ring");
	assert_string_equal(event.missing, "flow");
	assert_int_equal(event.lost, 12);
	assert_int_equal(event.lost_cpu, 3);
	assert_int_equal(event.lost_sequence, 99);
	assert_int_equal(event.lost_bytes, ABSENT);
	assert_int_equal(event.from_ms, 105);
	assert_int_equal(event.to_ms, 108);
	record.loss = WIRE_LOSS_TABLE;
	record.missing_kind = 4000;
	record.bytes = 5;
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_string_equal(event.reason, "table");
	assert_null(event.missing);
	assert_int_equal(event.lost_bytes, 5);
	assert_int_equal(event.lost_cpu, ABSENT);
	assert_null(event.lost_class);
}

static void
gap_says_what_was_refused(void **state)
{
	struct wire_gap record = {.head = {.kind = WIRE_GAP, .size = sizeof(record)},
				  .loss = WIRE_LOSS_QUOTA,
				  .count = 12,
				  .bytes = 5,
				  .packets = 1,
				  .class = WIRE_CLASS_BULK};

	(void)state;
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_string_equal(event.reason, "quota");
	assert_string_equal(event.lost_class, "bulk");
	assert_int_equal(event.lost_bytes, 5);
	record.class = WIRE_CLASS_CRITICAL;
	record.loss = WIRE_LOSS_SHED;
	record.bytes = record.packets = 0;
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_string_equal(event.reason, "shed");
	assert_string_equal(event.lost_class, "critical");
	assert_int_equal(event.lost_bytes, ABSENT);
	record.class = 3; /* of a later version */
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_null(event.lost_class);
	record.class = WIRE_CLASS_BULK;
	record.head.size = offsetof(struct wire_gap, class); /* of an earlier one */
	assert_int_equal(event_decode(&event, &record.head), 0);
	assert_null(event.lost_class);
}

static void
size_of_the_record_is_the_truth(void **state)
{
	static const struct {
		unsigned int kind;
		size_t size;
	} cases[] = {
		{WIRE_FLOW, offsetof(struct wire_flow, told_bytes)},
		{WIRE_CONNECT, offsetof(struct wire_connect, started_ns)},
		{WIRE_FORK, offsetof(struct wire_fork, program)},
		{WIRE_EXEC, offsetof(struct wire_exec, program)},
		{WIRE_EXIT, offsetof(struct wire_exit, program)},
		{WIRE_GAP, offsetof(struct wire_gap, class)},
		{WIRE_AGENT, sizeof(struct wire_agent)},
	};
	union {
		struct wire_head head;
		char bytes[512];
	} record = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		record.head.kind = (uint16_t)cases[i].kind;
		record.head.size = (uint16_t)(cases[i].size - 1);
		assert_int_equal(event_decode(&event, &record.head), -EBADMSG);
		record.head.size = (uint16_t)cases[i].size;
		assert_int_equal(event_decode(&event, &record.head), 0);
		record.head.size = (uint16_t)(cases[i].size + 40); /* of a newer probe */
		assert_int_equal(event_decode(&event, &record.head), 0);
	}
	record.head.kind = 12;
	assert_int_equal(event_decode(&event, &record.head), -ENOENT);
	record.head.size = sizeof(struct wire_head) - 1;
	assert_int_equal(event_decode(&event, &record.head), -EBADMSG);
}

static void
scratch_has_an_end(void **state)
{
	char text[512];

	(void)state;
	memset(text, 'a', sizeof(text));
	event_init(&event, &event_exec);
	for (int i = 0; i < 4; i++)
		assert_int_equal(strlen(event_keep(&event, text, sizeof(text))), sizeof(text));
	assert_string_equal(event_keep(&event, text, sizeof(text)), "");
	assert_string_equal(event_keep(&event, "b", 1), "b");
	assert_true(event.scratch_used <= sizeof(event.scratch));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_says_all),
		cmocka_unit_test(flow_says_what_is_new),
		cmocka_unit_test(flow_leaves_out_what_is_unknown),
		cmocka_unit_test(connect_names_its_outcome),
		cmocka_unit_test(exec_copies_its_slices),
		cmocka_unit_test(exit_tells_code_from_signal),
		cmocka_unit_test(gap_keeps_the_hole),
		cmocka_unit_test(gap_says_what_was_refused),
		cmocka_unit_test(size_of_the_record_is_the_truth),
		cmocka_unit_test(scratch_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
