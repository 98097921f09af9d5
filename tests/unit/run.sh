#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SUITE PROGRAM... - run cmocka programs, add up their tests.
#
# Only the output of programs with failures is shown. A test that began and did
# not end well is a failure, whatever the program says; so is a program without
# tests or with a bad exit status.
set -u

. "$(dirname "$0")/../lib.sh"
suite "$1"
shift
out=$(mktemp)
trap 'rm -f "$out"' EXIT

lines()
{
	grep -c "^\[ *$1 *\] [^0-9]" "$out"
}

for program; do
	timeout "${UNIT_SECONDS:-120}" "$program" >"$out" 2>/dev/null </dev/null
	code=$?
	begun=$(lines RUN)
	good=$(lines OK)
	bad=$((begun - good))
	[ $code -eq 0 ] && [ "$begun" -gt 0 ] || [ $bad -gt 0 ] || bad=1
	passed=$((passed + good))
	failed=$((failed + bad))
	if [ $bad -eq 0 ]; then
		echo "ok $suite_name: ${program##*/}: $good"
	else
		timeout "${UNIT_SECONDS:-120}" "$program" 2>&1 </dev/null | tail -60
		echo "not ok $suite_name: ${program##*/}: $bad failed, exit status $code"
	fi
done
finish
