#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh BUILD - the real binary on readable recordings: each case's entries, byte for byte.
#
#	NAME/records.txt	what happened (userspace/source/text.c has the format)
#	NAME/config.json	settings, relative to the folder; else the config.json beside this file
#	NAME/*.json, *.csv	rules and places that config.json names
#	NAME/expected.jsonl	the entries; UPDATE=1 writes it anew: read what changed
#	NAME/expected.txt	instead of it: what is said on stderr when the case is refused (exit 78)
#	NAME/absent		strings that may occur in no output
#
# What changes with every version stands as "-" or zeroes in expected.jsonl.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../lib.sh"
cd "$root" || exit 1
suite replay

build=$(cd "${1:-build}" && pwd)
python=${PYTHON:-/usr/bin/python3}
schemas=$root/docs/schema
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# demarc_replay ARGUMENT...: from inside the case's folder, without the caller's environment.
demarc_replay()
{
	env -i PATH="$PATH" "$build/demarc" replay -c "$config" "$@"
}

# Of versions and digests only the form is compared.
plain()
{
	sed -e 's/\("policy_digest":"\)[0-9a-f]\{64\}"/\10000000000000000000000000000000000000000000000000000000000000000"/' \
		-e 's/\("vendor_name":"demarc","version":"\)[^"]*/\1-/' \
		-e 's/\("uid":"eu-residency","version":"\)[^"]*/\1-/'
}

# same NAME FILE: is FILE what NAME/EXPECTED says?
same()
{
	[ -z "${UPDATE:-}" ] || cp "$2" "$3"
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$3" "$2" | head -6)"
	fi
}

refused()
{
	demarc_replay --json records.txt >"$work/out" 2>"$work/said"
	code=$?
	if [ "$code" != 78 ]; then
		not_ok "$1" "exit code $code, not 78"
	elif [ -s "$work/out" ]; then
		not_ok "$1" "it wrote entries"
	else
		same "$1 is refused" "$work/said" expected.txt
	fi
}

entries()
{
	if ! demarc_replay --json records.txt >"$work/first" 2>"$work/said"; then
		not_ok "$1" "$(cat "$work/said")"
		return
	fi
	demarc_replay --json records.txt >"$work/second" 2>/dev/null
	cmp -s "$work/first" "$work/second" || not_ok "$1: twice" "two runs, two outputs"
	plain <"$work/first" >"$work/plain"
	same "$1" "$work/plain" expected.jsonl
	if "$python" "$here/check.py" records.txt "$work/first" >"$work/report"; then
		ok "$1: $(cat "$work/report")"
	else
		not_ok "$1: sums" "$(cat "$work/report")"
	fi
	cat "$work/first" >>"$work/all"
}

# Nowhere: not as entries, lines, a summary or a log of everything.
absent()
{
	{
		cat "$work/first"
		demarc_replay --summary --set log.level=debug records.txt 2>&1
	} >"$work/everything"
	if grep -F -f absent "$work/everything" >"$work/leak"; then
		not_ok "$1: absent" "$(head -c 300 "$work/leak")"
	else
		ok "$1: what must be absent is absent"
	fi
}

: >"$work/all"
for folder in "$here"/*/; do
	name=$(basename "$folder")
	cd "$folder" || exit 1
	config=config.json
	[ -e "$config" ] || config=../config.json
	if [ -e expected.txt ]; then
		refused "$name"
	else
		entries "$name"
		[ -e absent ] && absent "$name"
	fi
done
cd "$here/flow" || exit 1
config=config.json

if "$python" "$here/../schema/validate.py" "$schemas" "$work/all" >"$work/report"; then
	ok "all entries are valid OCSF and canonical: $(tail -1 "$work/report")"
else
	not_ok "all entries are valid OCSF and canonical" "$(head -3 "$work/report")"
fi

# The sums can fail: the entries of one case are not those of another.
demarc_replay --json ../repeats/records.txt >"$work/out" 2>/dev/null
if "$python" "$here/check.py" ../long-flow/records.txt "$work/out" >/dev/null 2>&1; then
	not_ok "wrong sums are found"
else
	ok "wrong sums are found"
fi

# Binary recordings: whole, and cut at every byte that matters.
"$python" "$here/frame.py" "$work/whole"
demarc_replay --json "$work/whole" >"$work/out" 2>"$work/said"
if [ $? = 0 ] && [ "$(wc -l <"$work/out")" = 3 ]; then
	ok "a binary recording: 3 entries"
else
	not_ok "a binary recording" "$(cat "$work/said")"
fi
size=$(wc -c <"$work/whole")
for cut in 1 8 16 17 100 120; do
	head -c $((size - cut)) "$work/whole" >"$work/cut"
	demarc_replay --json "$work/cut" >"$work/out" 2>"$work/said"
	code=$?
	if [ "$code" = 78 ] && grep -q 'byte' "$work/said"; then
		ok "cut by $cut bytes: $(wc -l <"$work/out") entries, then: $(sed "s|.*/cut: ||" "$work/said")"
	else
		not_ok "cut by $cut bytes" "exit code $code: $(cat "$work/said")"
	fi
done
cd "$root" || exit 1
finish
