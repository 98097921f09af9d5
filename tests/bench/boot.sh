#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# boot.sh BUILD - boot the lab's 6.1 kernel with counted instructions, run guest.py
# in it, and print the line of JSON that it says.
#
# One processor and -icount shift=0: a tick of the guest's clock is an instruction.
# The initramfs is the lab's, with a second archive behind it: the kernel unpacks both.
set -eu

build=$1
series=6.1
here=$(cd "$(dirname "$0")" && pwd)
home=build/lab/bench

cd "$here/../.."
tests/lab/fetch.sh $series >&2
rm -rf $home
mkdir -p $home
cp build/lab/$series/vmlinuz build/lab/$series/modules $home/
tests/lab/initramfs.sh bench "$build"

over=$home/over
mkdir -p $over/demarc/tests/bench $over/demarc/build/bench
cp "$here/guest.py" $over/demarc/tests/bench/
cp "$build/bench/load" "$build/bench/true" "$build/bench/progs" $over/demarc/build/bench/
cp "$build/demarc" $over/demarc/build/demarc
echo 'python3 -B tests/bench/guest.py' >$over/demarc/inside
(cd $over && find . -print0 | cpio --null -o -H newc --quiet | gzip -1) >>$home/initramfs.gz

for try in 1 2; do
	timeout -k 5 "${BENCH_GUEST_SECONDS:-600}" qemu-system-x86_64 -accel tcg,thread=single -icount shift=0,sleep=off \
		-cpu max -m 1536 -smp 1 -kernel $home/vmlinuz -initrd $home/initramfs.gz \
		-append "console=ttyS0 quiet panic=-1 lsm=lockdown,capability,landlock,bpf" \
		-nographic -no-reboot -net none </dev/null >$home/console.log 2>&1 || true
	line=$(tr -d '\r' <$home/console.log | sed -n 's/^@@bench //p')
	[ -n "$line" ] && echo "$line" && exit
	echo "bench: the guest said nothing (try $try); see $home/console.log" >&2
done
exit 1
