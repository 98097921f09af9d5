# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # of run.sh
# The demo's Kafka: a broker on loopback with topics, kcat beside the agent, the proof at the end.
# Sourced by run.sh with KAFKA=1; uses its top, work, demarc and pids.

# The broker ends with its standard input, which this shell holds.
start_kafka() {
	echo 'a Kafka broker starts on loopback'
	mkfifo "$work/broker-in" 2>/dev/null
	exec {broker_in}<>"$work/broker-in"
	/usr/bin/python3 -B "$top/tests/kafka/broker.py" "$top/build" "$work/broker" \
		demarc.{violations,activity,evidence,health}.v1 <&"$broker_in" >"$work/brokers" 2>"$work/broker.err" &
	pids+=($!)
	for _ in $(seq 600); do
		[ -s "$work/brokers" ] && break
		kill -0 "${pids[-1]}" 2>/dev/null || die "the broker did not start: $(tail -3 "$work/broker.err")"
		sleep 0.1
	done
	brokers=$(cat "$work/brokers")
	kafka_settings=(--set kafka.brokers="$brokers" --set kafka.health_s=1)
	kcat -C -b "$brokers" -t demarc.violations.v1 -o beginning -q -u -X fetch.wait.max.ms=20 \
		-f 'kcat  | key %k | %h\n' > >(shorten) 2>/dev/null &
	pids+=($!)
	say "a Kafka broker at $brokers. Lines that start with kcat are what an analyst sees in demarc.violations.v1:"
}

# Of the headers, those that a person wants.
shorten() {
	sed -u -E 's/ \| (.*,)?(ce_id=[0-9a-f]{8})[0-9a-f]*,.*ocsf_class_uid=([0-9]+),severity_id=([0-9]+)(,rule_uid=([^,]+))?.*demarc_topic_sequence=([0-9]+).*/ | \2 | class \3, severity \4, \6 | number \7 of its topic/'
}

show_kafka() {
	say "the topics prove by themselves that nothing is missing (demarc audit-stream)"
	"$demarc" audit-stream --brokers "$brokers"
	audit=$?
	say "the last alerts of demarc.violations.v1, for people (demarc tail)"
	"$demarc" tail demarc.violations.v1 --brokers "$brokers" -n 3 --no-follow
	say "one message of demarc.violations.v1 as kcat prints it: its headers, and how its value begins"
	kcat -C -b "$brokers" -t demarc.violations.v1 -o beginning -e -q -f '%h\n' -c 1 | tr , '\n' | sed 's/^/  /'
	kcat -C -b "$brokers" -t demarc.violations.v1 -o beginning -e -q -f '%s\n' -c 1 | cut -c1-300 | sed 's/$/ .../'
	return $audit
}
