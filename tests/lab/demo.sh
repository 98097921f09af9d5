#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# demo.sh BUILD - the demo in a virtual machine, for hosts that refuse BPF.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$1
series=6.1
home=build/lab/demo

cd "$here/../.."
tests/bootstrap.sh demo lab
"$here/fetch.sh" $series
rm -rf $home && mkdir -p build/lab && cp -a build/lab/$series $home
DEMO=1 "$here/initramfs.sh" demo "$build"
echo "demo: BPF is refused here; booting Linux $series in QEMU"
timeout -k 5 300 qemu-system-x86_64 -accel tcg -cpu max -m 1536 -smp 2 -kernel $home/vmlinuz \
	-initrd $home/initramfs.gz -append "console=ttyS0 quiet panic=-1" -nographic -no-reboot \
	-net none </dev/null | tr -d '\r' | tee $home/console.log | sed -n '/^@@booted/,$p'
grep -q '^@@ended 0' $home/console.log
