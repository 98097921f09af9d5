/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stages_make - a recording for the stages, made up. */
#include <stdio.h>
#include <string.h>

#include "base/ip.h"
#include "source.h"
#include "stages.h"

#define PROCESSES   200
#define FIRST_PID   4000000u /* no process of this machine */
#define OLD_PLACES  1000
#define RECORD_NS   20000
#define BEGIN_NS    1000000000ull
#define NEW_ONE_OF  10
#define OPEN_BYTES  60
#define CLOSE_BYTES 1000

static int
put_process(struct recorder *recorder, unsigned int number)
{
	static const char path[] = "/usr/bin/service";
	struct {
		struct wire_exec exec;
		char path[sizeof(path) - 1];
	} record = {
		.exec = {.head = {.kind = WIRE_EXEC,
				  .size = sizeof(record.exec) + sizeof(path) - 1,
				  .sequence = number,
				  .time_ns = BEGIN_NS},
			 .task = {.pid = FIRST_PID + number,
				  .ppid = 1,
				  .loginuid = UINT32_MAX,
				  .session = UINT32_MAX,
				  .started_ns = BEGIN_NS / 2,
				  .cgroup = 100 + number,
				  .comm = "service"},
			 .exe = {.offset = sizeof(struct wire_exec), .length = sizeof(path) - 1}}};

	memcpy(record.path, path, sizeof(path) - 1);
	return recorder_put(recorder, &record.exec.head);
}

static struct wire_addr
address(uint32_t host_order)
{
	struct ip ip = ip_from_v4(host_order);
	struct wire_addr addr;

	memcpy(addr.ip, ip.bytes, sizeof(addr.ip));
	return addr;
}

/* Opening and end of one flow. */
static int
put_flow(struct recorder *recorder, unsigned long number)
{
	uint32_t place = number % NEW_ONE_OF ? 0xc6120000u + (uint32_t)(number % OLD_PLACES)
					     : 0xc6130000u + (uint32_t)(number / NEW_ONE_OF);
	uint64_t time_ns = BEGIN_NS + number * 2 * RECORD_NS;
	struct wire_flow flow = {
		.head = {.kind = WIRE_FLOW,
			 .size = sizeof(flow),
			 .sequence = number * 2,
			 .time_ns = time_ns},
		.owner = {.pid = FIRST_PID + (uint32_t)(number % PROCESSES),
			  .basis = WIRE_BASIS_CONNECT,
			  .noted_ns = time_ns,
			  .comm = "service"},
		.cookie = number + 1,
		.src = address(0xc0000201u),
		.dst = address(place),
		.src_port = (uint16_t)(1024 + number % 60000),
		.dst_port = 443,
		.protocol = 6,
		.role = WIRE_ROLE_CLIENT,
		.moment = WIRE_MOMENT_OPEN,
		.ifindex = 2,
		.bytes = OPEN_BYTES,
		.wire_bytes = OPEN_BYTES,
		.packets = 1,
		.first_ns = time_ns,
		.last_ns = time_ns,
	};
	int result;

	flow.owner.cgroup = flow.cgroup = 100 + number % PROCESSES;
	result = recorder_put(recorder, &flow.head);
	flow.head.sequence++;
	flow.head.time_ns += RECORD_NS;
	flow.moment = WIRE_MOMENT_CLOSE;
	flow.told_bytes = OPEN_BYTES;
	flow.told_packets = 1;
	flow.bytes = flow.wire_bytes = CLOSE_BYTES;
	flow.packets = 5;
	flow.last_ns = flow.head.time_ns;
	return result < 0 ? result : recorder_put(recorder, &flow.head);
}

int
stages_make(const char *path, long records, struct error *why)
{
	struct recording_header header = {.offset_ms = 1790000000000, .node = "bench"};
	struct recorder *recorder;
	int result = recorder_open(&recorder, path, &header, NULL, why);

	if (result < 0)
		return result;
	for (unsigned int i = 0; i < PROCESSES; i++)
		put_process(recorder, i);
	for (long i = 0; i < records / 2; i++)
		put_flow(recorder, (unsigned long)i);
	result = recorder_close(recorder); /* the first error of all */
	return result < 0 ? error_set(why, result, "%s: cannot be written", path) : 0;
}
