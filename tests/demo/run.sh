#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh BUILD - the demo shows what the README says that it shows, and leaves nothing behind.
# FULL=1: with Kafka, too.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/../lib.sh"
suite demo-test

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
said=$work/said
# Findings change nothing for people.
export DEMARC_JOURNAL_FINDINGS=true
if "$top/deploy/demo/run.sh" >"$said" 2>&1; then ok "ends well"; else not_ok "ends well" "$(tail -3 "$said")"; fi

shows() {
	if grep -Eq "$2" "$said"; then ok "$1"; else not_ok "$1" "no line like $2"; fi
}

# The agent's own lines are aligned columns: one or more blanks between.
shows "a violation, with its process" 'HIGH +python3\[[0-9]+\] +root +- +203\.0\.113\.30:80/tcp +CN/CN .*egress\.outside-eea +open$'
shows "IPv6 datagrams, by location and operator" '\[2001:db8:ca::8\]:53/udp +SG/CN .*egress\.outside-eea +open$'
shows "an unknown place" 'MEDIUM +curl.* 198\.51\.100\.200:80/tcp +\?\?/\?\? .*egress\.unknown-location +open$'
shows "a container in its pod, its user a pseudonym" 'HIGH +wget\[[0-9]+\] +p-[0-9a-f]{16} +7b2a1c9e/4e9d4e9d4e9d +203\.0\.113\.30:80/tcp'
shows "repeats folded into one" 'python3 .* 203\.0\.113\.30:80/tcp .* close x11$'
shows "a refused attempt, counted" '^CN, operator CN +14 +1 '
shows "adequate places are allowed" '^CH, operator CH +1 +0 .* 1 +0 +0 +0$'
shows "places with a condition are conditional" '^US, operator US +1 +0 .* 0 +1 +0 +0$'
shows "an operator of another country" '^DE, operator US '
shows "nothing lost" '0 records known to be lost'
shows "the time to the first violation" 'first violation shown [0-9]+ ms after the demo began'

if grep -q 'HIGH.*192\.0\.2\.' "$said"; then not_ok "what is allowed raises no alert"; else ok "what is allowed raises no alert"; fi

# valid MOST: all that the last demo wrote down, findings too.
valid() {
	"$top/build/demarc" tail --journal "$top/build/demo/state/journal" --json -n 10000 --no-follow >"$work/entries"
	/usr/bin/python3 "$top/tests/schema/validate.py" "$top/docs/schema" "$work/entries" >"$work/report" 2>&1
	report=$(tail -1 "$work/report")
	findings=$(grep -c '"type":"finding"' "$work/entries")
	alerts=$(grep -c '"is_alert":true' "$work/entries")
	if [ "${report%, 0 bad}" != "$report" ] && [ "$findings" -gt 5 ] && [ $((findings * 2)) = "$alerts" ]; then
		ok "$1: $report, a finding for each of $findings alerts"
	else
		not_ok "$1" "$findings findings, $alerts alerts and findings; $(head -3 "$work/report")"
	fi
}
valid "all entries are valid"

with_kafka() {
	if KAFKA=1 "$top/deploy/demo/run.sh" >"$said" 2>&1; then ok "with Kafka: ends well"; else not_ok "with Kafka: ends well" "$(tail -3 "$said")"; fi
	shows "kcat beside the agent" '^kcat +\| ce_id=[0-9a-f]{8} \| class 4001, severity 4, egress\.outside-eea \| number [0-9]+ of its topic$'
	shows "findings in the topic" '^kcat +\| .* class 2004, severity 4'
	shows "the brokers' place" 'streams to broker 127\.0\.0\.1:'
	shows "the proof" '^proven: nothing is missing'
	shows "alerts read back" '203\.0\.113\.30:80/tcp .* close'
	shows "headers" '^  ce_dataschema=https://schema\.ocsf\.io/1\.8\.0/classes/network_activity$'
	valid "with Kafka: all entries are valid"
}
[ "${FULL:-}" != 1 ] || with_kafka

if grep -q 'counting while the agent is away' "$said"; then not_ok "it counts as on a node"; else ok "it counts as on a node"; fi
left=$(ip netns list | grep -c demarc-demo)
left=$((left + $(grep -c "$top/build/demo" /proc/mounts)))
left=$((left + $(find /sys/fs/cgroup -maxdepth 2 -type d -name demarc-demo 2>/dev/null | wc -l)))
if [ $left = 0 ]; then ok "nothing is left behind"; else not_ok "nothing is left behind" "$left namespaces, mounts and cgroups"; fi
finish
