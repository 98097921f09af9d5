/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * progs - every loaded BPF program: a line of name, id, instructions that the
 * verifier looked at (0 where the kernel does not say), translated bytes, and, while
 * kernel.bpf_stats_enabled is set, runs and the ns that they took.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int
print_program(uint32_t id)
{
	struct bpf_prog_info info = {0};
	union bpf_attr by_id = {.prog_id = id};
	int fd = bpf(BPF_PROG_GET_FD_BY_ID, &by_id), result;
	union bpf_attr about = {.info = {.bpf_fd = (uint32_t)fd,
					 .info_len = sizeof(info),
					 .info = (uint64_t)(uintptr_t)&info}};

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* it has just gone */
	result = bpf(BPF_OBJ_GET_INFO_BY_FD, &about) < 0 ? -errno : 0;
	close(fd);
	if (!result)
		printf("%s %u %u %u %llu %llu\n", info.name, info.id, info.verified_insns,
		       info.xlated_prog_len, info.run_cnt, info.run_time_ns);
	return result;
}

int
main(void)
{
	union bpf_attr attr = {0};

	while (bpf(BPF_PROG_GET_NEXT_ID, &attr) == 0) {
		int result = print_program(attr.next_id);

		if (result < 0) {
			fprintf(stderr, "progs: %s\n", strerror(-result));
			return 1;
		}
		attr.start_id = attr.next_id;
		attr.next_id = 0;
	}
	if (errno == ENOENT)
		return 0;
	perror("progs");
	return 1;
}
