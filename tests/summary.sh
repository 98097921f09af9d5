#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# summary.sh SUITE... - add up what the suites left in build/results.
#
# A suite that left nothing counts as one failure, and so does a skip that
# tests/skips.txt does not list: silence is not success.
set -u

. "$(dirname "$0")/lib.sh"
skips=$(dirname "$0")/skips.txt
tab=$(printf '\t')
sum_passed=0 sum_failed=0 sum_skipped=0

may_skip()
{
	while IFS="$tab" read -r suite_wanted pattern _; do
		[ "$suite_wanted" = "$1" ] || continue
		# shellcheck disable=SC2254  # a pattern on purpose
		case $2 in $pattern) return 0 ;; esac
	done <"$skips"
	return 1
}

# How many skips of the suite nobody allowed; names them.
unneeded()
{
	listed=0
	if [ -r "$results/$1.skipped" ]; then
		while IFS="$tab" read -r name why; do
			listed=$((listed + 1))
			may_skip "$1" "$name" || echo "not allowed to skip: $1: $name: $why" >&2
			may_skip "$1" "$name" || echo x
		done <"$results/$1.skipped"
	fi
	while [ "$listed" -lt "$2" ]; do
		echo "skipped without a reason: $1" >&2
		echo x
		listed=$((listed + 1))
	done
}

for suite; do
	if ! read -r p f s 2>/dev/null <"$results/$suite"; then
		echo "$suite: left no result"
		p=0 f=1 s=0
	fi
	bad=$(unneeded "$suite" "$s" | wc -l)
	printf '%-14s %5d passed %5d failed %5d skipped\n' "$suite" "$p" "$((f + bad))" "$((s - bad))"
	sum_passed=$((sum_passed + p))
	sum_failed=$((sum_failed + f + bad))
	sum_skipped=$((sum_skipped + s - bad))
done

echo "$sum_passed passed, $sum_failed failed, $sum_skipped skipped"
[ "$sum_failed" = 0 ] && [ "$sum_passed" -gt 0 ]
