#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SECONDS PROGRAM... - each fuzz target for SECONDS, from its seeds.
#
# New inputs stay in build/fuzz/corpus/NAME; one that breaks is kept as
# build/fuzz/NAME-crash-*, and its report is shown.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
suite fuzz
seconds=$1
shift

for program; do
	name=${program##*/}
	name=${name%_fuzz}
	grown=build/fuzz/corpus/$name
	seeds=$here/corpus/$name
	mkdir -p "$grown"
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086  # no seeds, no word
	if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/$name-" "$grown" $seeds >"build/fuzz/$name.log" 2>&1; then
		ok "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs"
	else
		tail -40 "build/fuzz/$name.log"
		not_ok "$name"
	fi
done
finish
