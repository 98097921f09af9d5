#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh BUILD - the journal against stalled, full and failing disks, and kill -9.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${1:-build}
cd "$root" || exit 1
. "$here/../lib.sh"
suite journal
rounds=${ROUNDS:-50}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$build/journal
mkdir -p "$tools"

${CC:-cc} -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -Iinclude -o "$tools/driver" "$here/driver.c" \
	"$build/libdemarc.a" -lz -lpthread &&
	${CC:-cc} -std=gnu11 -O2 -g -Wall -Wextra -D_GNU_SOURCE -shared -fPIC -o "$tools/stall_shim.so" \
		"$here/stall_shim.c" -ldl || {
	not_ok "build" "the driver does not compile"
	finish
}

# value NAME: what the last driver printed for it.
value()
{
	sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" "$work/out"
}

# load NAME SHIM SECONDS RATE STAGING_KIB: run it, then count what is there.
load()
{
	rm -rf "$work/j"
	if ! LD_PRELOAD="$PWD/$tools/stall_shim.so" DEMARC_SHIM="$2" "$tools/driver" load "$work/j" \
		"$3" "$4" "$5" >"$work/out" 2>"$work/log"; then
		not_ok "$1" "$(cat "$work/out" "$work/log")"
		return 1
	fi
	admitted=$(value admitted) refused=$(value refused) turn=$(value longest_turn_us)
	silence=$(value longest_silence_ms)
	cat "$work/out"
	"$tools/driver" count "$work/j" >"$work/out" 2>>"$work/log"
	if [ "$(value entries)" != "$admitted" ] || [ "$(value damaged)" != 0 ]; then
		not_ok "$1" "admitted $admitted, found: $(cat "$work/out" "$work/log")"
		return 1
	fi
}

# The loop goes on while the disk sleeps: 5 s at 20,000 entries a second, in 32 MiB of memory.
if load stall "fdatasync:stall:5000ms:after=1s" 7 20000 32768; then
	if [ "$silence" -lt 4000 ]; then
		not_ok stall "the disk did not stall: $silence ms"
	elif [ "$refused" -eq 0 ]; then
		not_ok stall "nothing was refused"
	elif [ "$turn" -gt 200000 ]; then
		not_ok stall "a turn took $turn us"
	else
		ok "stall of 5 s at 20000/s: longest turn $turn us, $refused refused, $admitted found"
	fi
fi

# fails NAME SHIM COUNTER: errors come and go; nothing admitted is lost.
fails()
{
	load "$1" "$2" 3 5000 65536 || return
	if ! grep -q "$3" "$work/log" || ! grep -q "takes entries again" "$work/log"; then
		not_ok "$1" "not said in the log: $(cat "$work/log")"
	else
		ok "$1: $admitted found, $refused refused"
	fi
}
fails "full disk for 1 s" "write:ENOSPC:after=20:for=1s" "No space left"
fails "failed syncs" "fdatasync:EIO:after=8:times=3" "Input/output error"
fails "failed writes and syncs" "write:EIO:after=10:times=1,fdatasync:EIO:after=20:times=2" "Input/output"

# A disk that never takes anything: close gives up in time and says what is lost.
rm -rf "$work/j"
LD_PRELOAD="$PWD/$tools/stall_shim.so" DEMARC_SHIM="write:ENOSPC:after=3" CLOSE_MS=1000 \
	timeout 20 "$tools/driver" load "$work/j" 1 1000 65536 >"$work/out" 2>"$work/log"
if [ $? = 1 ] && grep -q "not stored: " "$work/log"; then
	ok "a disk full for ever: $(value admitted) admitted, $(value saved) saved, said so"
else
	not_ok "a disk full for ever" "$(cat "$work/out" "$work/log")"
fi

# A real full disk, where a tmpfs can be mounted.
if mkdir "$work/small" && mount -t tmpfs -o size=2m none "$work/small" 2>/dev/null; then
	CLOSE_MS=500 timeout 20 "$tools/driver" load "$work/small/j" 2 3000 1024 >"$work/out" 2>"$work/log"
	saved=$(value saved) refused=$(value refused)
	"$tools/driver" count "$work/small/j" >"$work/out" 2>>"$work/log"
	if [ "$(value entries)" = "$saved" ] && [ "$saved" -gt 1000 ] && [ "$refused" -gt 0 ] &&
		[ "$(value damaged)" = 0 ]; then
		ok "full tmpfs: $saved saved and found, $refused refused"
	else
		not_ok "full tmpfs" "saved $saved, $(cat "$work/out" "$work/log")"
	fi
	umount "$work/small"
else
	skip "full tmpfs" "cannot mount a tmpfs"
fi

# kill -9 in the middle of everything: what was acknowledged is there.
rm -rf "$work/j" "$work/acks"
: >"$work/acks"
round=0
while [ "$round" -lt "$rounds" ]; do
	"$tools/driver" acks "$work/j" >"$work/part" 2>>"$work/log" &
	child=$!
	sleep "0.0$((round % 5 + 3))$((round % 10))"
	kill -9 "$child"
	wait "$child" 2>/dev/null
	# a line that the kill cut was read by nobody
	sed -n '/ [0-9a-f]\{32\}$/p' "$work/part" >>"$work/acks"
	round=$((round + 1))
done
if "$tools/driver" verify "$work/j" <"$work/acks" >"$work/out" 2>"$work/log" &&
	[ "$(value promised)" -gt "$rounds" ]; then
	ok "kill -9, $rounds rounds: $(cat "$work/out")"
else
	not_ok "kill -9" "$(cat "$work/out" "$work/log")"
fi

# A third party reads the same entries from the description of the format.
expected=$(value found) extra=$(value extra)
if ! ${PYTHON:-/usr/bin/python3} "$here/read_segment.py" "$work"/j/*/*.seg >"$work/python"; then
	not_ok "read by 30 lines of Python" "it failed"
elif [ "$(wc -l <"$work/python")" -ne $((expected + extra)) ]; then
	not_ok "read by 30 lines of Python" "$(wc -l <"$work/python") entries, not $((expected + extra))"
else
	ok "read by 30 lines of Python: $((expected + extra)) entries"
fi
finish
