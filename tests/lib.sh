# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
#
# lib.sh - how a suite in sh counts. Source it, then:
#
#	suite NAME		begins
#	ok NAME			one more passed
#	not_ok NAME [WHY]	one more failed
#	skip NAME WHY		one more skipped; tests/skips.txt says which may be
#	finish			writes build/results/NAME, prints the sums, exits
#
# build/results/NAME holds "passed failed skipped"; NAME.skipped a line for each skip.

results=${RESULTS:-build/results}
passed=0 failed=0 skipped=0 suite_name=

suite()
{
	suite_name=$1
	mkdir -p "$results"
	rm -f "$results/$suite_name" "$results/$suite_name.skipped"
}

ok()
{
	passed=$((passed + 1))
	echo "ok $suite_name: $1"
}

not_ok()
{
	failed=$((failed + 1))
	echo "not ok $suite_name: $1${2:+: $2}"
}

skip()
{
	skipped=$((skipped + 1))
	echo "skip $suite_name: $1: $2"
	printf '%s\t%s\n' "$1" "$2" >>"$results/$suite_name.skipped"
}

finish()
{
	echo "$passed $failed $skipped" >"$results/$suite_name"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}
