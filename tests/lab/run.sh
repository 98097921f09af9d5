#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SUITE BUILD SERIES... - boot each kernel in QEMU and count what the
# guest's tests say. SUITE is the name of the results.
#
# Software emulation, for nested KVM is not to be had everywhere. A guest that
# does not boot, or breaks down, is tried again, then with one CPU. ONLY="NAME..." picks tests,
# INSIDE=evasion the other suite that can run there. Console: build/lab/SERIES/console.log.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
suite "$1"
build=$2
shift 2
limit=${LAB_SECONDS:-420}
inside=${INSIDE:-live}

boot()
{
	timeout -k 5 "$limit" qemu-system-x86_64 -accel tcg -cpu max -m 1536 -smp "$1" \
		-kernel "$home/vmlinuz" -initrd "$home/initramfs.gz" \
		-append "console=ttyS0 quiet panic=-1 lsm=lockdown,capability,landlock,bpf${LAB_APPEND:+ $LAB_APPEND}" \
		-nographic -no-reboot -net none </dev/null >"$home/console.log" 2>&1 &
	qemu=$!
	watch_boot
	wait $qemu 2>/dev/null
}

# A guest that has said nothing after a minute hangs: end it, so that it is tried again.
watch_boot()
{
	waited=0
	while [ $waited -lt 60 ] && kill -0 $qemu 2>/dev/null; do
		grep -aq '^@@booted' "$home/console.log" && return
		sleep 1
		waited=$((waited + 1))
	done
	kill $qemu 2>/dev/null
}

# Emulation of two CPUs is not perfect: some kernels break down in code of their own.
came_through()
{
	grep -aq '^@@booted' "$home/console.log" && ! grep -aq 'Kernel panic' "$home/console.log"
}

# The guest's lines, without carriage returns, counted as ours.
count_lines()
{
	tr -d '\r' <"$home/console.log" >"$home/lines"
	while IFS= read -r line; do
		case $line in
		"ok $inside: "*) ok "$series ${line#ok "$inside": }" ;;
		"not ok $inside: "*) not_ok "$series ${line#not ok "$inside": }" ;;
		"skip $inside: "*)
			rest=${line#skip "$inside": }
			skip "$series ${rest%%: *}" "${rest#*: }"
			;;
		"@@booted "* | "@@module "*) echo "# $series: ${line#@@}" ;;
		"# "*) echo "$line" ;;
		esac
	done <"$home/lines"
}

for series; do
	home=build/lab/$series
	if ! "$here/fetch.sh" "$series" || ! "$here/initramfs.sh" "$series" "$build"; then
		not_ok "$series: could not be made"
		continue
	fi
	began=$(date +%s)
	for cpus in 2 2 1; do
		boot $cpus
		came_through && break
		echo "# $series: did not boot, or its kernel broke down, with $cpus CPUs"
	done
	count_lines
	if ! grep -aq '^@@ended 0' "$home/lines"; then
		grep -av '^ok \|^skip ' "$home/lines" | tail -25
		not_ok "$series: ended" "$(grep -a '^@@ended' "$home/lines" || echo "the guest did not get to the end within $limit s")"
	fi
	echo "# $series: $(($(date +%s) - began)) s in QEMU with $cpus CPUs"
done
finish
