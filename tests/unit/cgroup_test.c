/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cgroup_test - every layout of a cgroup path, and choosing among the lines of /proc. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "context.h"

#define ID   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID  "c5f3a1b2-0d4e-4f6a-8b7c-9d0e1f2a3b4c"
#define UID_ "c5f3a1b2_0d4e_4f6a_8b7c_9d0e1f2a3b4c"
#define HASH "4a1f0c9b8e7d6c5b4a39281706f5e4d3"

static const struct {
	const char *path, *container, *runtime, *pod, *unit;
} paths[] = {
	/* Kubernetes, systemd driver */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	 ".slice/cri-containerd-" ID ".scope",
	 ID, "containerd", UID, ""},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" ID
	 ".scope",
	 ID, "cri-o", UID, ""},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/docker-" ID ".scope", ID, "docker", UID, ""},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope", "", "", UID,
	 "crio-conmon-" ID ".scope"},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope/container", ID, "cri-o", UID,
	 ""},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
	 ".slice/cri-containerd-" ID ".scope",
	 ID, "containerd", HASH, ""},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice", "", "", UID, "kubepods-pod" UID_ ".slice"},
	/* Kubernetes, cgroupfs driver */
	{"/kubepods/burstable/pod" UID "/" ID, ID, "", UID, ""},
	{"/kubepods/besteffort/pod" UID "/" ID, ID, "", UID, ""},
	{"/kubepods/pod" UID "/" ID, ID, "", UID, ""},
	{"/kubepods/burstable/pod" HASH "/" ID, ID, "", HASH, ""},
	{"/kubepods/burstable/pod" UID "/crio-" ID, ID, "cri-o", UID, ""},
	/* nodes in containers, containers in pods: the last one */
	{"/system.slice/docker-" ID2 ".scope/kubelet/kubepods/burstable/pod" UID "/" ID, ID, "",
	 UID, ""},
	{"/system.slice/docker-" ID2 ".scope/kubelet.slice/kubelet-kubepods.slice/"
	 "kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" UID_
	 ".slice/cri-containerd-" ID ".scope",
	 ID, "containerd", UID, ""},
	{"/docker/" ID2 "/kubelet/kubepods/pod" UID "/" ID, ID, "", UID, ""},
	{"/docker/" ID2 "/system.slice/containerd.service", ID2, "docker", "", ""},
	{"/kubepods/burstable/pod" UID "/" ID2 "/docker/" ID, ID, "docker", UID, ""},
	{"/../../kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope", ID,
	 "containerd", UID, ""},
	/* a path for systemd's driver, taken by the other one */
	{"/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID,
	 ID, "containerd", UID, ""},
	{"/kubepods-besteffort-pod" UID_ ".slice:crio:" ID, ID, "cri-o", UID, ""},
	{"/system.slice:runc:web", "web", "runc", "", ""},
	{"/system.slice:other:" ID, "", "", "", ""},
	/* engines on their own */
	{"/docker/" ID, ID, "docker", "", ""},
	{"/system.slice/docker-" ID ".scope", ID, "docker", "", ""},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", ID,
	 "docker", "", ""},
	{"/machine.slice/libpod-" ID ".scope", ID, "podman", "", ""},
	{"/machine.slice/libpod-" ID ".scope/container", ID, "podman", "", ""},
	{"/machine.slice/libpod-conmon-" ID ".scope", "", "", "", "libpod-conmon-" ID ".scope"},
	{"/libpod_parent/libpod-" ID, ID, "podman", "", ""},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
	 ID, "podman", "", ""},
	{"/system.slice/nerdctl-" ID ".scope", ID, "containerd", "", ""},
	{"/ecs/0f1e2d3c/" ID, ID, "", "", ""},
	/* runc: only its scope tells */
	{"/system.slice/runc-demo_1.scope", "demo_1", "runc", "", ""},
	{"/user.slice/crun-job.scope", "job", "crun", "", ""},
	{"/demarc-demo/llm-0", "", "", "", ""},
	{"/llm-0", "", "", "", ""},
	{"/runc-demo", "", "", "", ""},
	{"/system.slice/runc-.scope", "", "", "", "runc-.scope"},
	{"/system.slice/runc-" ID "x.scope", "", "", "", "runc-" ID "x.scope"},
	/* lxc */
	{"/lxc/web1", "web1", "lxc", "", ""},
	{"/lxc.payload.web1", "web1", "lxc", "", ""},
	{"/lxc.payload.web1/system.slice/ssh.service", "web1", "lxc", "", ""},
	{"/lxc.payload/web1/init.scope", "web1", "lxc", "", ""},
	{"/lxc.monitor.web1", "", "", "", ""},
	{"/lxc.monitor/web1", "", "", "", ""},
	/* systemd */
	{"/system.slice/nginx.service", "", "", "", "nginx.service"},
	{"/system.slice/nginx.service/worker", "", "", "", "nginx.service"},
	{"/system.slice/system-getty.slice/getty@tty1.service", "", "", "", "getty@tty1.service"},
	{"/user.slice/user-1000.slice/session-3.scope", "", "", "", "session-3.scope"},
	{"/user.slice/user-1000.slice/user@1000.service/init.scope", "", "", "",
	 "user@1000.service"},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service", "", "", "",
	 "mail.service"},
	{"/init.scope", "", "", "", "init.scope"},
	{"/user.slice", "", "", "", "user.slice"},
	/* nothing to tell, or nearly something */
	{"/", "", "", "", ""},
	{"", "", "", "", ""},
	{"//", "", "", "", ""},
	{"/docker/0123", "", "", "", ""},
	{"/docker-" ID "0.scope", "", "", "", "docker-" ID "0.scope"},
	{"/podcast/podium", "", "", "", ""},
	{"/pod" UID "x", "", "", "", ""},
	{"/DOCKER-" ID, "", "", "", ""},
};

static void
parse(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct cgroup_owner owner;

		memset(&owner, 'x', sizeof(owner));
		cgroup_parse(&owner, paths[i].path);
		if (strcmp(owner.container, paths[i].container) ||
		    strcmp(owner.runtime, paths[i].runtime) || strcmp(owner.pod, paths[i].pod) ||
		    strcmp(owner.unit, paths[i].unit))
			fail_msg("%s: container '%s' runtime '%s' pod '%s' unit '%s'",
				 paths[i].path, owner.container, owner.runtime, owner.pod,
				 owner.unit);
	}
}

static void
parse_long(void **state)
{
	struct cgroup_owner owner;
	char path[4096];

	(void)state;
	memset(path, 'a', sizeof(path));
	memcpy(path, "/lxc/", 5);
	path[sizeof(path) - 1] = '\0';
	cgroup_parse(&owner, path);
	assert_string_equal(owner.container, "");
	memcpy(path, "/aaaa", 5);
	strcpy(path + sizeof(path) - 9, ".service");
	cgroup_parse(&owner, path);
	assert_int_equal(strlen(owner.unit), sizeof(owner.unit) - 1);
}

static const struct {
	const char *text, *path;
} files[] = {
	{"0::/system.slice/a.service\n", "/system.slice/a.service"},
	{"0::/\n", "/"},
	{"", ""},
	{"nonsense\n\n:\n", ""},
	{"0::/kubepods/pod" UID "/" ID, "/kubepods/pod" UID "/" ID},
	{"0::/system.slice/a.service (deleted)\n", "/system.slice/a.service"},
	/* v1 */
	{"3:cpuset:/x\n2:cpuacct,cpu:/docker/" ID "\n1:name=systemd:/y\n", "/docker/" ID},
	{"5:pids:/p\n4:memory:/m\n1:name=systemd:/s\n", "/m"},
	{"5:pids:/p\n1:name=systemd:/s\n", "/p"},
	{"12:devices:/d\n1:name=systemd:/s\n", "/s"},
	{"12:devices:/d\n", "/d"},
	{"12:cpux:/no\n11:cpu:/yes\n", "/yes"},
	{"9:name=systemd:/\n4:memory:/some/where\n1:cpu:/\n", "/some/where"},
	/* hybrid */
	{"4:memory:/m\n1:cpu:/c\n0::/user.slice\n", "/user.slice"},
	{"4:memory:/m\n1:cpu:/c\n0::/\n", "/c"},
	{"1:cpu:/\n0::/\n", "/"},
	{"4:memory:/docker/" ID "\n1:cpu:/\n0::/system.slice/containerd.service\n", "/docker/" ID},
	{"1:cpu:/system.slice:runc:web\n0::/\n", "/system.slice:runc:web"},
};

static void
choose(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[4096] = "unset";

		cgroup_choose(files[i].text, path, sizeof(path));
		if (strcmp(path, files[i].path))
			fail_msg("%s: '%s'", files[i].text, path);
	}
}

/* The beginning of a path would be another path. */
static void
choose_short(void **state)
{
	char path[8] = "unset";

	(void)state;
	cgroup_choose("0::/longer/than/that\n", path, sizeof(path));
	assert_string_equal(path, "");
	cgroup_choose("1:cpu:/short\n0::/longer/than/that\n", path, sizeof(path));
	assert_string_equal(path, "/short");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse),
		cmocka_unit_test(parse_long),
		cmocka_unit_test(choose),
		cmocka_unit_test(choose_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
