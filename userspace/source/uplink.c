/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * uplink - the devices by which packets leave the node, and the NIC probe on them.
 *
 * The filter stands at a priority of ours and a handle of the instance's, so that
 * it disturbs no other user of clsact, nor another agent, and is found again after
 * a crash. Devices come and go: they are looked at again every now and then.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "probes_private.h"

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

/* The probe reads Ethernet headers: other devices are refused. */
static bool
is_ethernet(const char *name)
{
	int fd cleanup(fd_drop) = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &request) == 0 &&
	       request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

static bool
is_hardware(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	return access(path, F_OK) == 0;
}

static int
add_uplink(struct probes *probes, const char *name, struct error *why)
{
	struct uplink *uplink = &probes->uplinks[probes->uplink_count];
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex)
		return error_set(why, -ENODEV, "nic.interfaces: no device '%s'", name);
	if (!is_ethernet(name))
		return error_set(why, -ENODEV, "nic.interfaces: '%s' is no Ethernet device", name);
	if (probes->uplink_count == UPLINKS_MAX)
		return error_set(why, -ENODEV, "nic.interfaces: more than %d", UPLINKS_MAX);
	uplink->ifindex = ifindex;
	uplink->attached = false;
	snprintf(uplink->name, sizeof(uplink->name), "%s", name);
	probes->uplink_count++;
	return 0;
}

/* Devices that are hardware: the others send through them. */
static void
find_hardware(struct probes *probes)
{
	DIR *directory = opendir("/sys/class/net");
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.' && is_hardware(entry->d_name))
			add_uplink(probes, entry->d_name, NULL);
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
	for (; names && *names && !result && strcmp(*names, "none") != 0; names++) {
		if (!strcmp(*names, "auto"))
			find_hardware(probes);
		else
			result = add_uplink(probes, *names, why);
	}
	leave(home);
	return result;
}

/* FNV-1a of the instance's name: agents side by side have filters of their own. */
static uint32_t
handle_of(const struct probes *probes)
{
	const char *name = probes->options.instance ? probes->options.instance : "";
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	if (probes->options.apart)
		hash = (hash ^ ' ') * 16777619u;
	return (hash & 0xfffffff) | 1;
}

static int
attach_one(const struct probes *probes, struct uplink *uplink)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)uplink->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle_of(probes), .priority = FILTER_PRIORITY,
		    .prog_fd = probes->uplink_program_fd, .flags = BPF_TC_F_REPLACE);
	int result = bpf_tc_hook_create(&hook);

	if (result < 0 && result != -EEXIST)
		return result;
	result = bpf_tc_attach(&hook, &opts);
	uplink->attached = !result;
	return result;
}

static int
detach_one(const struct probes *probes, const struct uplink *uplink)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)uplink->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle_of(probes), .priority = FILTER_PRIORITY);

	return bpf_tc_detach(&hook, &opts);
}

static bool
is_attached(const struct probes *probes, const struct uplink *uplink)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)uplink->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle_of(probes), .priority = FILTER_PRIORITY);

	return if_nametoindex(uplink->name) == uplink->ifindex && bpf_tc_query(&hook, &opts) == 0;
}

int
uplinks_attach(struct probes *probes, int program_fd, struct error *why)
{
	int home;
	int result = enter(probes->options.netns, &home);

	probes->uplink_program_fd = program_fd;
	for (size_t i = 0; i < probes->uplink_count && !result; i++) {
		result = attach_one(probes, &probes->uplinks[i]);
		if (result < 0)
			error_set(why, result, "%s: %s", probes->uplinks[i].name,
				  strerror(-result));
	}
	leave(home);
	if (result < 0)
		uplinks_detach(probes);
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
		removed += detach_one(probes, &probes->uplinks[i]) == 0;
	leave(home);
	return removed;
}

static bool
is_uplink(const struct probes *probes, unsigned int ifindex)
{
	for (size_t i = 0; i < probes->uplink_count; i++)
		if (probes->uplinks[i].ifindex == ifindex)
			return true;
	return false;
}

int
uplinks_tidy(struct probes *probes)
{
	struct if_nameindex *devices;
	int removed = 0;
	int home;

	if (enter(probes->options.netns, &home) < 0)
		return 0;
	devices = if_nameindex();
	for (struct if_nameindex *device = devices; device && device->if_index; device++) {
		struct uplink uplink = {.ifindex = device->if_index};

		snprintf(uplink.name, sizeof(uplink.name), "%s", device->if_name);
		if (!is_uplink(probes, device->if_index) && is_attached(probes, &uplink))
			removed += detach_one(probes, &uplink) == 0;
	}
	if_freenameindex(devices);
	leave(home);
	return removed;
}

/* Lost its filter, or its device: try again, and say what changed. */
static bool
tend_one(const struct probes *probes, struct uplink *uplink, char *said, size_t room)
{
	bool was = uplink->attached;

	if (is_attached(probes, uplink))
		return false;
	uplink->attached = false;
	uplink->ifindex = if_nametoindex(uplink->name);
	if (uplink->ifindex && is_ethernet(uplink->name) && attach_one(probes, uplink) == 0)
		snprintf(said, room, "uplink %s: the NIC probe was gone and is attached again",
			 uplink->name);
	else if (was)
		snprintf(
			said, room,
			"uplink %s is gone: what leaves by it without passing a socket is not seen",
			uplink->name);
	return was || uplink->attached;
}

bool
uplinks_tend(struct probes *probes, char *said, size_t room)
{
	bool changed = false;
	int home;

	if (!probes->uplink_count || enter(probes->options.netns, &home) < 0)
		return false;
	for (size_t i = 0; i < probes->uplink_count && !changed; i++)
		changed = tend_one(probes, &probes->uplinks[i], said, room);
	leave(home);
	return changed;
}
