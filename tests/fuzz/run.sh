#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SECONDS PROGRAM... - each fuzz target for SECONDS, from its seeds; JOBS of them at a time.
#
# New inputs stay in build/fuzz/corpus/NAME; one that breaks is kept as
# build/fuzz/NAME-crash-*, and its report is shown.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
suite fuzz
seconds=$1
jobs=${JOBS:-1}
shift

fuzz_one()
{
	grown=build/fuzz/corpus/$1
	seeds=$here/corpus/$1
	mkdir -p "$grown"
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086  # no seeds, no word
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/$1-" "$grown" $seeds >"build/fuzz/$1.log" 2>&1
	echo $? >"build/fuzz/$1.status"
}

judge()
{
	if [ "$(cat "build/fuzz/$1.status")" = 0 ]; then
		ok "$1: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$1.log") inputs"
	else
		tail -40 "build/fuzz/$1.log"
		not_ok "$1"
	fi
}

begun=
for program; do
	name=${program##*/}
	name=${name%_fuzz}
	fuzz_one "$name" &
	begun="$begun $name"
	# shellcheck disable=SC2086  # names are words
	set -- $begun
	[ $# -lt "$jobs" ] && continue
	wait
	for name; do judge "$name"; done
	begun=
done
wait
for name in $begun; do judge "$name"; done
finish
