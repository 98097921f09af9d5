#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# sanitizer.sh SUITE BUILD UNIT... - the unit tests, replay, the journal and a live smoke with the
# programs of BUILD, which sanitizers watch. SUITE names the results.
#
# The results of the parts stay in BUILD/results; here they are one suite. What a sanitizer
# said goes to BUILD/reports and fails the suite, also when the process was killed later.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
. "$here/lib.sh"
suite "$1"
build=$2
python=${PYTHON:-/usr/bin/python3}
live="violation restart outside-scope reload-broken tcp-v4 udp refused quick storm storm-order small-table"
shift 2

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
rm -rf "$build/reports"
mkdir -p "$build/results" "$build/reports"
log=$PWD/$build/reports/report
# Shipped rules and lists are looked for beside the program's folder.
ln -sfn ../rules build/rules

# part NAME COMMAND...: one suite, its numbers added to ours; shown when something failed.
part()
{
	part=$1
	shift
	rm -f "$build/results/$part"
	RESULTS=$build/results "$@" >"$build/results/$part.log" 2>&1
	if ! read -r p f s <"$build/results/$part"; then
		tail -20 "$build/results/$part.log"
		not_ok "$part" "it left no result"
		return
	fi
	[ "$f" = 0 ] || grep -v '^ok ' "$build/results/$part.log" | tail -60
	echo "# $part: $p passed, $f failed, $s skipped"
	passed=$((passed + p))
	failed=$((failed + f))
}

export ASAN_OPTIONS="log_path=$log" UBSAN_OPTIONS="print_stacktrace=1:log_path=$log" \
	TSAN_OPTIONS="log_path=$log:second_deadlock_stack=1:suppressions=$here/tsan.txt"
part unit tests/unit/run.sh unit "$@"
part replay tests/run_folder.sh replay "$build"
# Its preloaded faults come before the sanitizer's runtime; a few kills are enough here.
part journal env CC="${CC:-cc} -fsanitize=${SAN:?}" ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
	ROUNDS=10 tests/run_folder.sh journal "$build"
part live $as_root env RESULTS="$build/results" ASAN_OPTIONS="$ASAN_OPTIONS" \
	UBSAN_OPTIONS="$UBSAN_OPTIONS" TSAN_OPTIONS="$TSAN_OPTIONS" SLOW=3 \
	"$python" -B tests/live/run.py --build "$build" --storm 3000 $live
for report in "$build"/reports/*; do
	[ -e "$report" ] || continue
	head -60 "$report"
	not_ok "$(basename "$report")" "a sanitizer's report"
done
finish
