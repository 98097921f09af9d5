#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# other.sh FOLDER - a copy of the tree whose maps have another layout: a flow with one
# more member, room for more kinds, one more total, and one more map. Files that did not
# change keep their times.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
copy=$1

put()
{
	if cmp -s "$2" "$1"; then rm "$2"; else mv "$2" "$1"; fi
}

# A pattern that finds nothing would leave the layout as it was.
grow()
{
	file=$1 expression=$2 signs=$3 count=$4
	mkdir -p "$copy/$(dirname "$file")"
	sed -E "$expression" "$top/$file" >"$copy/$file.new"
	[ "$(grep -Ec "$signs" "$copy/$file.new")" = "$count" ] ||
		{ echo "other: $file has changed: see $0" >&2; exit 1; }
	put "$copy/$file" "$copy/$file.new"
}

mkdir -p "$copy"
cd "$top"
for path in Makefile $(find tests -name "*.mk") include userspace bpf; do
	find "$path" -type f ! -path include/wire.h ! -path bpf/probe.h -exec cp -pu --parents -t "$copy" {} +
done
bytes=$(sed -nE 's/^_Static_assert\(sizeof\(struct wire_flow\) == ([0-9]+),.*/\1/p' include/wire.h)
grow include/wire.h "s/^(\t__u64 told_packets;.*)/\1\n\t__u64 grown;/
s/^(_Static_assert\(sizeof\(struct wire_flow\) == )[0-9]+/\1$((bytes + 8))/
s/^(\tWIRE_KIND_MAX = )16,/\118,/
s/^\tWIRE_TOTALS,/\tWIRE_TOTAL_GROWN,\n&/" '__u64 grown;|WIRE_KIND_MAX = 18,|WIRE_TOTAL_GROWN,' 3
grow bpf/probe.h 's/^(#define add\(sum, value\).*)/struct {\n\t__uint(type, BPF_MAP_TYPE_ARRAY);\n\t__uint(max_entries, 1);\n\t__type(key, __u32);\n\t__type(value, __u64);\n} grown SEC(".maps");\n\n\1/' '\} grown SEC' 1
