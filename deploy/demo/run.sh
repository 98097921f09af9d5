#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The demo: real programs in a sandbox of documentation addresses, judged as they send.
#
# Two network namespaces joined by a veth pair stand for a node and the internet;
# nothing is routed outside. The agent watches one cgroup, so that nothing else of
# this machine is seen. Everything is removed at the end, also after a failure.
set -u

began=$(date +%s%N)
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/deploy/demo
work=$top/build/demo
demarc=$top/build/demarc
name='demarc-demo'
app=$name-app
world=$name-world
container_id=$(printf '4e9d%.0s' $(seq 16))
pod=7b2a1c9e-1111-4222-8333-944445555666
pids=()
kafka_settings=()
# shellcheck source=deploy/demo/kafka.sh
[ "${KAFKA:-}" = 1 ] && . "$here/kafka.sh"

# Let the agent's lines of the step before come first: it looks every few milliseconds.
say() {
	sleep 0.2
	printf '\n\033[1m%s\033[0m\n' "$*"
}

die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

cleanup() {
	trap - EXIT INT TERM
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	runc delete -f "$name" >/dev/null 2>&1
	ip netns del "$app" 2>/dev/null
	ip netns del "$world" 2>/dev/null
	for tree in "$cgroup" $(find /sys/fs/cgroup -maxdepth 2 -type d -name "$name" 2>/dev/null); do
		[ -d "$tree" ] && find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	[ -n "${mounted:-}" ] && umount "$mounted" && rmdir "$mounted"
	[ -n "$pins" ] && umount "$work/bpf" && rmdir "$work/bpf"
}

# The v2 tree, wherever it is; on a machine without one, a mount of our own.
find_cgroup() {
	mount=$(awk '/ - cgroup2 / {print $5; exit}' /proc/self/mountinfo)
	if [ -z "$mount" ]; then
		mounted=$work/cgroup
		mkdir -p "$mounted" && mount -t cgroup2 none "$mounted" || die "no cgroup v2 tree"
		mount=$mounted
	fi
	cgroup=$mount/$name
	mkdir -p "$cgroup" || die "cannot make a cgroup below $mount"
}

# Programs and maps are pinned, as on a node, but in a BPF file system of the demo's own.
make_pins() {
	mkdir -p "$work/bpf" && mount -t bpf bpf "$work/bpf" 2>/dev/null && pins=$work/bpf/demarc
}

make_networks() {
	ip netns del "$app" 2>/dev/null
	ip netns del "$world" 2>/dev/null
	ip netns add "$app" && ip netns add "$world" || die "cannot make network namespaces"
	ip -n "$app" link add up0 type veth peer name in0 netns "$world" || die "no veth devices"
	for ns in "$app" "$world"; do
		ip netns exec "$ns" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
			for d in /proc/sys/net/ipv6/conf/*0/accept_dad; do echo 0 >$d; done' 2>/dev/null
		ip -n "$ns" link set lo up
	done
	ip -n "$app" addr add 10.77.0.2/24 dev up0
	ip -n "$app" -6 addr add fd77::2/64 dev up0 nodad
	ip -n "$world" addr add 10.77.0.1/24 dev in0
	ip -n "$world" -6 addr add fd77::1/64 dev in0 nodad
	for address in 192.0.2.10 192.0.2.80 192.0.2.200 198.51.100.20 198.51.100.200 203.0.113.30 203.0.113.80; do
		ip -n "$world" addr add $address/32 dev lo
	done
	ip -n "$world" -6 addr add 2001:db8:ca::8/128 dev lo nodad
	ip -n "$app" link set up0 up
	ip -n "$world" link set in0 up
	ip -n "$app" route add default via 10.77.0.1
	ip -n "$app" -6 route add default via fd77::1
}

start_world() {
	ip netns exec "$world" python3 "$here/server.py" &
	pids+=($!)
	for _ in $(seq 100); do
		ip netns exec "$world" curl -so /dev/null --max-time 1 http://192.0.2.10/ && return
		sleep 0.05
	done
	die "the demo's servers did not start"
}

start_agent() {
	"$demarc" run --summary --set scope="$cgroup" --set node=gpu-node-01 --set cluster=demo \
		--set instance=demo --set state_directory="$work/state" --set runtime_directory="$work" \
		--set pins="$pins" --set detach_at_stop=true \
		--set place.as_public=documentation --set place.databases="$work/places.mmdb" \
		--set nic.interfaces=up0 --set nic.netns="/run/netns/$app" --set log.level=warn "${kafka_settings[@]}" \
		> >(first_violation) &
	agent=$!
	pids+=("$agent")
	for _ in $(seq 100); do
		[ -S "$work/demo.sock" ] && return
		kill -0 $agent 2>/dev/null || die "the agent did not start"
		sleep 0.05
	done
	die "the agent did not become ready"
}

# Pass the agent's lines on, and note when the first violation was shown.
first_violation() {
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case "$line" in
		*outside*) [ -s "$work/first" ] || date +%s%N >"$work/first" ;;
		esac
	done
}

# Join the cgroup first, enter the network namespace second: ip netns exec hides the cgroup tree.
inside() { bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec ip netns exec "$@"' bash "$cgroup" "$app" "$@"; }

run_container() {
	bundle=$work/bundle
	mkdir -p "$bundle/rootfs/bin" && cp "$(command -v busybox)" "$bundle/rootfs/bin/" || return 1
	for tool in sh wget; do ln -sf busybox "$bundle/rootfs/bin/$tool"; done
	cat >"$bundle/config.json" <<-JSON
	{"ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": true}, "hostname": "llm-0",
	 "process": {"terminal": false, "user": {"uid": 1000, "gid": 1000}, "cwd": "/",
	  "env": ["PATH=/bin"],
	  "args": ["wget", "-q", "-O", "-", "http://203.0.113.30/model"]},
	 "linux": {"cgroupsPath": "/$name/kubepods/burstable/pod$pod/$container_id",
	  "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "uts"}, {"type": "ipc"},
	   {"type": "network", "path": "/run/netns/$app"}]},
	 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}]}
	JSON
	# An initramfs cannot be pivoted away from.
	no_pivot=$(awk '$2 == "/" && $3 == "rootfs" {print "--no-pivot"}' /proc/mounts)
	bash -c 'echo $$ >"$1/cgroup.procs"; exec runc run $4 --bundle "$2" "$3" >/dev/null' \
		bash "$cgroup" "$bundle" "$name" "$no_pivot"
}

traffic() {
	say "curl, to a German provider: allowed"
	inside curl -so /dev/null http://192.0.2.10/
	say "curl, to Frankfurt, run by a US operator: in the EEA by location, and the summary shows the operator"
	inside curl -so /dev/null http://192.0.2.80/
	say "curl, to Switzerland (adequate): allowed"
	inside curl -so /dev/null http://203.0.113.80/
	say "a Python client uploads 200 kB to the United States: conditional"
	inside python3 "$here/client.py" tcp 198.51.100.20 80 200000
	say "a Python client, to China"
	inside python3 "$here/client.py" tcp 203.0.113.30 80 50000
	say "the same ten times over: one alert, folded"
	for _ in 1 2 3 4 5 6 7 8 9 10; do inside python3 "$here/client.py" tcp 203.0.113.30 80 5000; done
	say "datagrams over IPv6, to a Chinese operator in Singapore"
	inside python3 "$here/client.py" udp 2001:db8:ca::8 53 5000
	say "curl, to an address that no data knows: unknown is never allowed silently"
	inside curl -so /dev/null http://198.51.100.200/
	say "a connection that is refused, to China: what left is a violation, the attempt itself is conditional"
	inside curl -so /dev/null --max-time 2 http://203.0.113.30:8443/
	say "busybox wget in a runc container of a Kubernetes pod, to China"
	run_container || say "(the container did not run: see above)"
	sleep 0.5
}

# Where BPF itself is refused, a virtual machine is not.
in_the_lab() {
	"$demarc" probe >/dev/null 2>&1
	case $? in
	69 | 77) exec "$top/tests/lab/demo.sh" build ;;
	esac
}

[ "$(id -u)" = 0 ] || {
	echo "demo: needs root: BPF programs are loaded, and namespaces made" >&2
	exit 77
}
in_the_lab
mkdir -p "$work" && rm -rf "$work/state" "$work/first" "$work/bundle" "$work/demo.carry"
cgroup=
pins=
trap cleanup EXIT
trap 'exit 130' INT TERM
find_cgroup
make_pins
say "where the demo's addresses are, and whose law binds who runs them (deploy/demo/places.csv)"
"$demarc" data import --csv "$here/places.csv" -o "$work/places.mmdb" || exit 1
make_networks
start_world
[ "${KAFKA:-}" = 1 ] && start_kafka
say "demarc watches. Lines that start with a time are the agent speaking:"
echo "time, level, program[process], user, pod/container, destination, location/operator, bytes, rule"
start_agent
traffic
say "the agent is stopped: it closes each alert (x11: folded from so many), and adds up"
kill -TERM $agent
wait $agent
status=$?
sleep 0.2
echo '(an alert is two entries: one when it opens, one when it closes)'
if [ "${KAFKA:-}" = 1 ]; then show_kafka || status=1; fi
first=$(cat "$work/first" 2>/dev/null) || die "no violation was seen"
printf '\nfirst violation shown %d ms after the demo began' $(((first - began) / 1000000))
[ -f "$top/.git/description" ] &&
	printf ', %d s after the clone' $((first / 1000000000 - $(stat -c %Y "$top/.git/description")))
printf '\nthe journal is kept; what another set of rules would have said: build/demarc replay %s --set rules=FILE\n' \
	"${work#"$top"/}/state/journal"
exit $status
