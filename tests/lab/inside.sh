#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# inside.sh SUITE - what runs in the guest: that the ground holds, then the tests
# of SUITE, which is live, evasion or crash.
# Lines in the suites' form are counted by run.sh on the host.

suite=$1

ground()
{
	what=$1
	shift
	if "$@" >/tmp/ground 2>&1; then
		echo "ok $suite: ground: $what"
	else
		echo "not ok $suite: ground: $what: $(tr '\n' ' ' </tmp/ground)"
	fi
}

# busybox prefers its own ip, which knows no namespaces.
for ip in /bin/ip /sbin/ip /usr/bin/ip /usr/sbin/ip; do
	[ -x $ip ] && break
done

ground "BTF of the kernel" ls /sys/kernel/btf/vmlinux
ground "cgroup v2" mkdir /sys/fs/cgroup/ground
ground "bpffs" mkdir /sys/fs/bpf/ground
ground "network namespaces" "$ip" netns add ground
ground "veth" "$ip" -n ground link add ground0 type veth peer name ground1
"$ip" netns del ground

options=
[ "$suite" = evasion ] || options=--in-lab
# shellcheck disable=SC2046,SC2086  # patterns are words
exec python3 "tests/$suite/run.py" --build build $options $(cat only)
