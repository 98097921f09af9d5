#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# initramfs.sh SERIES BUILD - pack build/lab/SERIES/initramfs.gz: busybox, the
# modules that the tests need, ip, python3, the tests and what BUILD holds. With
# DEMO set it holds and runs the demo instead of the tests.
set -eu

series=$1 build=$2
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
home=build/lab/$series
root=$home/initramfs
python=${PYTHON:-/usr/bin/python3}

# In any order; what a kernel has built in or lacks is left out.
modules="veth dummy vxlan udp_tunnel ip6_udp_tunnel sctp nf_tables nft_counter nft_chain_nat nft_nat nft_ct
nf_nat nf_conntrack sch_ingress cls_bpf act_bpf ipv6 af_packet xfrm_user ip_gre tun dccp dccp_ipv4"

add_file()
{
	mkdir -p "$root$(dirname "$1")"
	[ -e "$root$1" ] || cp -L "$1" "$root$1"
}

# A program with the shared libraries that it asks for.
add_program()
{
	add_file "$1"
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		add_file "$library"
	done
}

add_modules()
{
	folder=$(cat "$home/modules")
	release=$(basename "$folder")
	mkdir -p "$home/depmod/lib/modules"
	ln -sfn "$(realpath "$folder")" "$home/depmod/lib/modules/$release"
	PATH=$PATH:/usr/sbin:/sbin
	[ -e "$folder/modules.dep" ] || depmod -b "$home/depmod" "$release"
	mkdir -p "$root/modules"
	for module in $modules; do
		modprobe -d "$(realpath "$home/depmod")" -S "$release" --show-depends "$module" 2>/dev/null || true
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
		name=$(basename "$path")
		case $name in
		*.xz) xz -dc "$path" >"$root/modules/${name%.xz}" ;;
		*.zst) zstd -qdc "$path" >"$root/modules/${name%.zst}" ;;
		*) cp "$path" "$root/modules/$name" ;;
		esac
		echo "${name%.ko*}.ko" >>"$root/modules/order"
	done
}

add_python()
{
	add_program "$python"
	(cd tests/live && "$python" -B "$here/imports.py") | while read -r path; do
		case $path in
		*.so) add_program "$path" ;;
		*) add_file "$path" ;;
		esac
	done
}

cd "$source"
rm -rf "$root"
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run" "$root/etc" "$root/demarc"
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in sh mount umount mkdir cat ls echo sleep insmod poweroff uname sed grep tr kill dd stty; do
	ln -s busybox "$root/bin/$applet"
done
cp "$here/init" "$root/init"
chmod +x "$root/init"
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
echo "${ONLY-}" >"$root/demarc/only"
programs="ip date"
inside="sh tests/lab/inside.sh ${INSIDE:-live}"
if [ -n "${DEMO-}" ]; then
	programs="$programs bash awk seq head find stat id rm rmdir ln cp chmod dirname curl runc"
	inside="bash deploy/demo/run.sh"
else
	programs="$programs nft bpftool"
fi
echo "$inside" >"$root/demarc/inside"
add_modules
for program in $programs; do
	add_program "$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")"
done
add_python
for path in rules deploy/demo docs/coverage.md tests/live tests/evasion tests/crash tests/lab/inside.sh; do
	[ -e "$path" ] || continue
	mkdir -p "$root/demarc/$(dirname "$path")"
	cp -a "$path" "$root/demarc/$path"
done
for path in live evasion; do
	[ -d "$build/$path" ] || continue
	mkdir -p "$root/demarc/$build/$path"
	cp "$build/$path/"* "$root/demarc/$build/$path/"
done
for program in crash/load next/demarc crash/other/build/demarc; do
	[ -e "$build/$program" ] || continue
	mkdir -p "$root/demarc/$build/$(dirname $program)"
	cp "$build/$program" "$root/demarc/$build/$program"
done
if [ -e "$build/demarc" ]; then
	cp "$build/demarc" "$root/demarc/$build/demarc"
	ldd "$build/demarc" | grep -o '/[^ ]*' | while read -r library; do
		add_file "$library"
	done
fi
(cd "$root" && find . -print0 | cpio --null -o -H newc --quiet | gzip -1) >"$home/initramfs.gz"
