/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privileges - keep what watching needs, give up the rest. */
#include <bpf/bpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "privileges.h"

int
privileges_check(struct error *why)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) ||
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))
		return 0;
	return error_set(why, -EPERM,
			 "loading BPF programs needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: run "
			 "as root");
}

void
privileges_mount(const char *pins)
{
	static const char place[] = "/sys/fs/bpf";
	struct statfs fs;

	if (strncmp(pins, place, strlen(place)) != 0 || statfs(place, &fs) < 0 ||
	    fs.f_type == BPF_FS_MAGIC)
		return;
	if (mount("bpf", place, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		log_warn("pins", "cannot mount %s: %s", place, strerror(errno));
	else
		log_info("pins", "mounted %s", place);
}

/*
 * Before 5.11 maps count against RLIMIT_MEMLOCK. libbpf knows such kernels and
 * raises the limit at its first map, which must be before CAP_SYS_RESOURCE is gone.
 */
static void
raise_memlock(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "memlock", 4, 4, 1, NULL);

	if (fd >= 0)
		close(fd);
}

int
privileges_drop(bool enters_namespaces, struct error *why)
{
	const capng_type_t kept = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	int result = privileges_check(why);

	if (result < 0)
		return result;
	raise_memlock();
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, kept, CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_PTRACE,
		      CAP_DAC_READ_SEARCH, -1);
	if (enters_namespaces)
		capng_update(CAPNG_ADD, kept, CAP_SYS_ADMIN);
	if (capng_apply(CAPNG_SELECT_BOTH) < 0)
		return error_set(why, -EPERM, "cannot give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(why, -errno, "cannot renounce new privileges");
	return 0;
}
