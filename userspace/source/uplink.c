/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * uplink - the devices by which packets leave the node, and the NIC probe on them.
 *
 * The filter stands at a priority and handle of its own, so that it disturbs no
 * other user of clsact and can be found again after a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probes_private.h"

#define FILTER_HANDLE   0x64656d /* "dem" */
#define FILTER_PRIORITY 0x646d
#define ARPHRD_ETHER    1

/* Enter the uplinks' network namespace; *home is a descriptor to come back with, -1 when there is
 * no need. */
static int
enter(const char *netns, int *home)
{
	int here cleanup(fd_drop) = -1;
	int target cleanup(fd_drop) = -1;

	*home = -1;
	if (!netns || !*netns)
		return 0;
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	target = open(netns, O_RDONLY | O_CLOEXEC);
	if (here < 0 || target < 0 || setns(target, CLONE_NEWNET) < 0)
		return -errno;
	*home = here;
	here = -1;
	return 0;
}

static void
leave(int home)
{
	if (home >= 0 && setns(home, CLONE_NEWNET) < 0)
		log_error("uplink", "cannot return to the own network namespace: %s",
			  strerror(errno));
	if (home >= 0)
		close(home);
}

static bool
is_ethernet_hardware(const char *name)
{
	char path[512];
	FILE *file cleanup(file_drop) = NULL;
	int type;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/type", name);
	file = fopen(path, "re");
	return file && fscanf(file, "%d", &type) == 1 && type == ARPHRD_ETHER;
}

static void
add_uplink(struct probes *probes, const char *name)
{
	struct uplink *uplink = &probes->uplinks[probes->uplink_count];
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex || probes->uplink_count == UPLINKS_MAX)
		return;
	uplink->ifindex = ifindex;
	snprintf(uplink->name, sizeof(uplink->name), "%s", name);
	probes->uplink_count++;
}

/* Devices that are hardware: the others send through them. */
static void
find_hardware(struct probes *probes)
{
	DIR *directory = opendir("/sys/class/net");
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && is_ethernet_hardware(entry->d_name))
			add_uplink(probes, entry->d_name);
	if (directory)
		closedir(directory);
}

int
uplinks_find(struct probes *probes, struct error *why)
{
	const char *const *names = probes->options.uplinks;
	int home;
	int result = enter(probes->options.netns, &home);

	if (result < 0)
		return error_set(why, result, "nic.netns: %s: %s", probes->options.netns,
				 strerror(-result));
	for (; names && *names; names++) {
		size_t before = probes->uplink_count;

		if (!strcmp(*names, "none"))
			break;
		if (!strcmp(*names, "auto")) {
			find_hardware(probes);
			continue;
		}
		add_uplink(probes, *names);
		if (probes->uplink_count == before) {
			leave(home);
			return error_set(why, -ENODEV, "nic.interfaces: no device '%s'", *names);
		}
	}
	leave(home);
	return 0;
}

static int
attach_one(const struct uplink *uplink, int program_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)uplink->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		    .prog_fd = program_fd, .flags = BPF_TC_F_REPLACE);
	int result = bpf_tc_hook_create(&hook);

	if (result < 0 && result != -EEXIST)
		return result;
	return bpf_tc_attach(&hook, &opts);
}

static int
detach_one(const struct uplink *uplink)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)uplink->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);

	return bpf_tc_detach(&hook, &opts);
}

int
uplinks_attach(struct probes *probes, int program_fd, struct error *why)
{
	int home;
	int result = enter(probes->options.netns, &home);

	for (size_t i = 0; i < probes->uplink_count && !result; i++) {
		result = attach_one(&probes->uplinks[i], program_fd);
		if (result < 0)
			error_set(why, result, "%s: %s", probes->uplinks[i].name,
				  strerror(-result));
	}
	leave(home);
	return result;
}

int
uplinks_detach(struct probes *probes)
{
	int home;
	int removed = 0;

	if (enter(probes->options.netns, &home) < 0)
		return 0;
	for (size_t i = 0; i < probes->uplink_count; i++)
		removed += detach_one(&probes->uplinks[i]) == 0;
	leave(home);
	return removed;
}
