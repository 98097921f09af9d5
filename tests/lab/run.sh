#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SUITE BUILD KERNEL... - boot each kernel in QEMU and count what the
# guest's tests say. SUITE is the name of the results. KERNEL is a series of Debian's
# kernels, or a series booted another way:
#
#	6.1-lockdown	lockdown=confidentiality: no program may copy the kernel's memory
#	6.1-nolsm	no bpf in lsm=, as distributions have it that do not expect us
#
# Software emulation, for nested KVM is not to be had everywhere. A guest that
# does not boot, or breaks down, is tried again, then with one CPU. ONLY="NAME..." picks tests,
# INSIDE=evasion the other suite that can run there. Console: build/lab/KERNEL.log.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
suite "$1"
build=$2
shift 2
limit=${LAB_SECONDS:-600}
inside=${INSIDE:-live}

# What the variant adds to the kernel's command line.
variant()
{
	case $1 in
	*-lockdown) echo "lsm=lockdown,capability,landlock,bpf lockdown=confidentiality" ;;
	*-nolsm) echo "lsm=lockdown,capability,landlock" ;;
	*) echo "lsm=lockdown,capability,landlock,bpf" ;;
	esac
}

# Emulated, cmpxchg16b corrupts the slab allocator's lists of 6.12, which does without it as
# well. 7.3 does not: socket storage needs it there, and every owner would be unknown.
cpu()
{
	case $1 in
	6.12) echo "max,-cx16" ;;
	*) echo max ;;
	esac
}

boot()
{
	: >"$console"
	timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg -cpu "$(cpu "$series")" -m 1536 -smp "$1" \
		-kernel "$home/vmlinuz" -initrd "$home/initramfs.gz" \
		-append "console=ttyS0 quiet panic=-1 $(variant "$kernel")${LAB_APPEND:+ $LAB_APPEND}" \
		-nographic -no-reboot -net none </dev/null >"$console" 2>&1 &
	qemu=$!
	watch_boot
	wait $qemu 2>/dev/null
}

# A guest that has said nothing after a minute hangs: end it, so that it is tried again.
watch_boot()
{
	waited=0
	while [ $waited -lt 60 ] && kill -0 $qemu 2>/dev/null; do
		grep -aq '^@@booted' "$console" && return
		sleep 1
		waited=$((waited + 1))
	done
	kill $qemu 2>/dev/null
}

# Emulation of two CPUs is not perfect: some kernels break down in code of their own.
came_through()
{
	grep -aq '^@@booted' "$console" && ! grep -aq 'Kernel panic' "$console"
}

# The guest's lines, without carriage returns, counted as ours.
count_lines()
{
	tr -d '\r' <"$console" >"$lines"
	while IFS= read -r line; do
		case $line in
		"ok $inside: "*) ok "$kernel ${line#ok "$inside": }" ;;
		"not ok $inside: "*) not_ok "$kernel ${line#not ok "$inside": }" ;;
		"skip $inside: "*)
			rest=${line#skip "$inside": }
			skip "$kernel ${rest%%: *}" "${rest#*: }"
			;;
		"@@booted "* | "@@module "*) echo "# $kernel: ${line#@@}" ;;
		"# "*) echo "$line" ;;
		esac
	done <"$lines"
}

for kernel; do
	series=${kernel%%-*}
	home=build/lab/$series
	console=build/lab/$kernel.log
	lines=build/lab/$kernel.lines
	if ! "$here/fetch.sh" "$series" || ! "$here/initramfs.sh" "$series" "$build"; then
		not_ok "$kernel: could not be made"
		continue
	fi
	began=$(date +%s)
	for cpus in 2 2 1; do
		boot $cpus
		came_through && break
		echo "# $kernel: did not boot, or its kernel broke down, with $cpus CPUs"
	done
	count_lines
	if ! grep -aq '^@@ended 0' "$lines"; then
		grep -av '^ok \|^skip ' "$lines" | tail -25
		not_ok "$kernel: ended" "$(grep -a '^@@ended' "$lines" || echo "the guest did not get to the end within $limit s")"
	fi
	echo "# $kernel: $(($(date +%s) - began)) s in QEMU with $cpus CPUs"
done
finish
