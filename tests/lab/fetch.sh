#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# fetch.sh SERIES - fetch a Debian kernel and unpack it under build/lab/SERIES.
#
# apt runs with a source list and state of its own; nothing is installed. The
# exact version is what the suite's meta package names today. Prints nothing when
# the kernel is there already.
set -eu

series=$1
home=build/lab/$series
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)}

case $series in
5.10) suite=bullseye ;;
6.1) suite=bookworm ;;
6.12) suite=bookworm-backports ;;
7.*) suite=trixie-backports ;;
*)
	echo "fetch: no kernel series '$series'; have 5.10 6.1 6.12 7.3" >&2
	exit 64
	;;
esac

[ -e "$home/vmlinuz" ] && exit 0

mkdir -p "$home/apt/lists/partial" "$home/apt/cache/archives/partial" "$home/apt/etc" "$home/deb"
home=$(cd "$home" && pwd)
: >"$home/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
	>"$home/apt/etc/sources.list"

lab_apt()
{
	tool=$1
	shift
	"$tool" -q -o Dir::Etc::SourceList="$home/apt/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$home/apt" -o Dir::State::Lists="$home/apt/lists" \
		-o Dir::State::Status="$home/apt/status" -o Dir::Cache="$home/apt/cache" \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false \
		-o Acquire::Check-Valid-Until=false "$@"
}

depends()
{
	lab_apt apt-cache depends "$1" | sed -n 's/^ *|\{0,1\}Depends: *\(linux-[^ ]*\)$/\1/p'
}

echo "lab: fetching a $series kernel from $suite"
lab_apt apt-get update >"$home/apt.log" 2>&1 || { cat "$home/apt.log"; exit 1; }
image=$(depends linux-image-cloud-amd64 | grep '^linux-image-[0-9]' | head -1)
[ -n "$image" ] || { echo "fetch: $suite has no linux-image-cloud-amd64" >&2; exit 1; }
# From 7.x on the image package is empty and names binary and modules packages.
packages="$image $(depends "$image" | grep -E '^linux-(binary|modules)-' || true)"
# shellcheck disable=SC2086  # package names are words
(cd "$home/deb" && rm -f -- *.deb && lab_apt apt-get download $packages >>"$home/apt.log" 2>&1) ||
	{ tail "$home/apt.log"; exit 1; }
rm -rf "$home/root"
for deb in "$home"/deb/*.deb; do
	dpkg-deb -x "$deb" "$home/root"
done
found=$(find "$home/root" -name 'vmlinuz*' -type f | head -1)
[ -n "$found" ] || { echo "fetch: no vmlinuz in $packages" >&2; exit 1; }
modules=$(find "$home/root" -path '*/lib/modules/*' -maxdepth 5 -name kernel -type d | head -1)
dirname "$modules" >"$home/modules"
rm -rf "$home/apt" "$home"/deb
cp "$found" "$home/vmlinuz"
echo "lab: $series is $(basename "$(cat "$home/modules")")"
