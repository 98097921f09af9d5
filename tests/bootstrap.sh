#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bootstrap.sh LIST... - install what is missing of the Debian packages that
# tests/packages/LIST.txt names, and say what. Quick when nothing is missing.
#
# 0: all there. 77: something is missing and this user may not install it; the
# one line that would is printed. None of the packages is a daemon.
set -u

lists=$(cd "$(dirname "$0")" && pwd)/packages
missing=

is_installed()
{
	case $installed in
	*" $1 "*) true ;;
	*) false ;;
	esac
}

command -v dpkg-query >/dev/null || {
	echo "bootstrap: this is no Debian; install the counterparts of $lists/*.txt by hand" >&2
	exit 77
}

# The names of all installed packages, a space on each side.
installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | tr '\n' ' ') "

[ $# -gt 0 ] || {
	echo "usage: $0 LIST...   (of $(cd "$lists" && echo *.txt | sed 's/\.txt//g'))" >&2
	exit 64
}

for list; do
	[ -r "$lists/$list.txt" ] || {
		echo "bootstrap: no list $lists/$list.txt" >&2
		exit 64
	}
	# shellcheck disable=SC2013  # a package name is a word
	for package in $(sed 's/#.*//' "$lists/$list.txt"); do
		is_installed "$package" || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

if [ "${BOOTSTRAP_ROOT-$(id -u)}" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	echo "bootstrap: missing packages, and neither root nor sudo without a password. Run:" >&2
	echo "  apt-get install --no-install-recommends$missing" >&2
	exit 77
fi

install()
{
	# shellcheck disable=SC2086  # words on purpose
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends $missing </dev/null
}

echo "bootstrap: installing$missing"
# An index may be absent or older than the archive: fetch it only then.
if ! install >/dev/null 2>&1; then
	$as_root apt-get update -q </dev/null || exit
	install || exit
fi
echo "bootstrap: installed$missing"
