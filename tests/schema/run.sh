#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh BUILD - every kind and moment of event is valid OCSF 1.8.0 and canonical JSON.
#
# Writes the samples under every privacy mode, and checks each line against the
# strict schemas in docs/schema; so it does with the samples of docs/schema/samples, which
# capture.py took from real events, and every kind in the code must have one. Planted
# mistakes show that the checks can fail.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/../lib.sh"
suite schema

build=${1:-build}
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
schemas=$root/docs/schema

# shellcheck disable=SC2046
if ! ${CC:-gcc} -std=gnu11 -O1 -D_GNU_SOURCE -I"$root/include" -I"$root/tests" \
	-o "$work/write" "$here/write_events.c" "$build/libdemarc.a" \
	$(pkg-config --libs libcjson libcrypto) -lm; then
	not_ok "samples" "do not compile"
	finish
	exit
fi
"$work/write" >"$work/events" || not_ok "samples" "the writer failed"

"$python" -c 'import json, sys
for line in open(sys.argv[1]):
    event = json.loads(line)
    print(event["metadata"]["type"], event["activity_name"])' "$work/events" >"$work/names"

"$python" "$here/validate.py" "$schemas" "$work/events" >"$work/report"
number=0
while IFS= read -r name; do
	number=$((number + 1))
	why=$(grep "events:$number: " "$work/report" | head -3)
	if [ -z "$why" ]; then
		ok "$number $name"
	else
		not_ok "$number $name" "$why"
	fi
done <"$work/names"
grep -q "^$number good, 0 bad\$" "$work/report" || not_ok "report" "$(tail -1 "$work/report")"

sed -n '1s/"direction_id":2/"direction_id":77/p' "$work/events" >"$work/wrong"
if [ -s "$work/wrong" ] && ! "$python" "$here/validate.py" "$schemas" "$work/wrong" >/dev/null; then
	ok "a wrong number is found"
else
	not_ok "a wrong number is found"
fi

for sample in "$schemas"/samples/*.json; do
	if "$python" "$here/validate.py" "$schemas" "$sample" >"$work/report"; then
		ok "sample $(basename "$sample")"
	else
		not_ok "sample $(basename "$sample")" "$(head -3 "$work/report")"
	fi
done

# lacks FILE WHAT: without it, something is missed.
lacks()
{
	rm -rf "$work/less" && cp -r "$schemas" "$work/less" && rm "$work/less/$1"
	if "$python" "$here/complete.py" "$build" "$root" "$work/less" >"$work/report"; then
		not_ok "$2 is missed"
	else
		ok "$2 is missed: $(head -1 "$work/report")"
	fi
}

if "$python" "$here/complete.py" "$build" "$root" "$schemas" >"$work/report"; then
	ok "every kind of message has a schema and a sample: $(cat "$work/report")"
else
	not_ok "every kind of message has a schema and a sample" "$(cat "$work/report")"
fi
lacks stub.json "a schema"
lacks samples/fork.seen.json "a sample"
lacks samples/gap.down.json "a reason's sample"

# Closed against members that nobody wrote down.
sed 's/"moment":/"mood":"good",&/' "$schemas/samples/flow.violation-open.json" >"$work/wrong"
if "$python" "$here/validate.py" "$schemas" "$work/wrong" >/dev/null; then
	not_ok "an unknown member is found"
else
	ok "an unknown member is found"
fi
finish
