#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# inside.sh - what runs in the guest: that the ground holds, then the live tests.
# Lines in the suites' form are counted by run.sh on the host.

ground()
{
	what=$1
	shift
	if "$@" >/tmp/ground 2>&1; then
		echo "ok live: ground: $what"
	else
		echo "not ok live: ground: $what: $(tr '\n' ' ' </tmp/ground)"
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

# shellcheck disable=SC2046  # patterns are words
exec python3 tests/live/run.py --build build --in-lab $(cat only)
