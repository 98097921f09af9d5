#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SUITE PROGRAM... - run cmocka programs, one on each CPU, and add up their tests.
#
# Only the output of programs with failures is shown. A test that began and did
# not end well is a failure, whatever the program says; so is a program without
# tests or with a bad exit status.
set -u

. "$(dirname "$0")/../lib.sh"
suite "$1"
shift
OUTPUT=$(mktemp -d)
export OUTPUT
trap 'rm -rf "$OUTPUT"' EXIT

# lines PROGRAM WORD: how many tests of it cmocka says that of.
lines()
{
	grep -c "^\[ *$2 *\] [^0-9]" "$OUTPUT/$1.out"
}

# shellcheck disable=SC2016 # the inner shell's
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" sh -c '
	log=$OUTPUT/${1##*/}
	timeout "${UNIT_SECONDS:-120}" "$1" >"$log.out" 2>"$log.err" </dev/null
	echo $? >"$log.code"' sh

for program; do
	name=${program##*/}
	code=$(cat "$OUTPUT/$name.code")
	begun=$(lines "$name" RUN)
	good=$(lines "$name" OK)
	bad=$((begun - good))
	[ "$code" = 0 ] && [ "$begun" -gt 0 ] || [ $bad -gt 0 ] || bad=1
	passed=$((passed + good))
	failed=$((failed + bad))
	if [ $bad -eq 0 ]; then
		echo "ok $suite_name: $name: $good"
	else
		tail -n 60 "$OUTPUT/$name.out" "$OUTPUT/$name.err"
		echo "not ok $suite_name: $name: $bad failed, exit status $code"
	fi
done
finish
