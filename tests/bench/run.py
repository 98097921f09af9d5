#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What demarc costs per operation: the same load with the agent off and on, alternately.

Two network namespaces joined by a veth pair, the load in a cgroup of its own, which
is the agent's scope. Prints medians over the rounds, their spread, and the difference.
Usage: run.py [ROUNDS] (default 5). Needs root and build/demarc.
"""
import os
import signal
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEMARC = os.path.join(TOP, "build", "demarc")
LOAD = os.path.join(TOP, "build", "bench", "load")
WORK = os.path.join(TOP, "build", "bench", "work")
APP, SINK, NAME = "demarc-bench-app", "demarc-bench-sink", "demarc-bench"
SECONDS = "1"


def sh(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def cgroup_mount():
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            if " - cgroup2 " in line:
                return line.split()[4]
    sys.exit("no cgroup v2 tree")


CGROUP = os.path.join(cgroup_mount(), NAME)


def inside(*command):
    """Run in the scope's cgroup and the app's namespace; cgroup first, namespace second."""
    script = 'echo $$ >"$1/cgroup.procs"; shift; exec ip netns exec "$@"'
    return sh("sh", "-c", script, "sh", CGROUP, APP, *command).stdout


def set_up():
    os.makedirs(WORK, exist_ok=True)
    os.makedirs(CGROUP, exist_ok=True)
    for ns in (APP, SINK):
        sh("ip", "netns", "add", ns)
        sh("ip", "-n", ns, "link", "set", "lo", "up")
    sh("ip", "-n", APP, "link", "add", "b0", "type", "veth", "peer", "name", "b1", "netns", SINK)
    sh("ip", "-n", APP, "addr", "add", "192.0.2.1/24", "dev", "b0")
    sh("ip", "-n", SINK, "addr", "add", "192.0.2.2/24", "dev", "b1")
    for ns, device in ((APP, "b0"), (SINK, "b1")):
        sh("ip", "-n", ns, "link", "set", device, "up")
    time.sleep(0.5)
    return [
        subprocess.Popen(["ip", "netns", "exec", SINK, LOAD, "serve", "192.0.2.2", "7000"], start_new_session=True),
        subprocess.Popen(["ip", "netns", "exec", APP, LOAD, "serve", "127.0.0.1", "7000"], start_new_session=True),
    ]


def tear_down(servers):
    for server in servers:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    for ns in (APP, SINK):
        sh("ip", "netns", "del", ns, check=False)
    for _ in range(20):
        try:
            os.rmdir(CGROUP)
            return
        except OSError:
            time.sleep(0.1)


class Agent:
    def __enter__(self):
        subprocess.run(["rm", "-rf", f"{WORK}/state"], check=True)
        self.process = subprocess.Popen(
            [DEMARC, "run", "--quiet", "--set", f"scope={CGROUP}", "--set", "instance=bench",
             "--set", f"state_directory={WORK}/state", "--set", f"runtime_directory={WORK}",
             "--set", "pins=", "--set", "nic.interfaces=b0", "--set", f"nic.netns=/run/netns/{APP}",
             "--set", "log.level=error"])
        while not os.path.exists(f"{WORK}/bench.sock"):
            if self.process.poll() is not None:
                sys.exit("the agent did not start")
            time.sleep(0.02)
        time.sleep(0.2)
        return self

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    paths = {"loopback": "127.0.0.1", "veth": "192.0.2.2"}
    loads = [(path, name) for path in paths for name in ("connect", "udp", "pp", "other")]
    off = {load: [] for load in loads}
    on = {load: [] for load in loads}
    cpu, resident = [], []
    servers = []
    try:
        servers = set_up()
        for _ in range(rounds):
            for load in loads:
                off[load].append(int(inside(LOAD, load[1], paths[load[0]], "7000", SECONDS)))
            with Agent() as agent:
                for load in loads:
                    on[load].append(int(inside(LOAD, load[1], paths[load[0]], "7000", SECONDS)))
                cpu.append(agent.cpu_seconds())
                resident.append(agent.resident_kib())
    finally:
        tear_down(servers)
    print(f"{'path':9} {'load':8} {'off ns':>9} {'on ns':>9} {'added ns':>9} {'ratio':>6}  spread of added")
    for load in loads:
        added = [b - a for a, b in zip(off[load], on[load])]
        a, b = statistics.median(off[load]), statistics.median(on[load])
        print(f"{load[0]:9} {load[1]:8} {a:9.0f} {b:9.0f} {statistics.median(added):+9.0f} {b / a:6.2f}"
              f"  {min(added):+.0f} .. {max(added):+.0f}")
    print(f"agent: {statistics.median(cpu):.2f} s CPU per round of {len(loads)} s of load, "
          f"{statistics.median(resident) / 1024:.1f} MiB resident at most; {rounds} rounds")


if __name__ == "__main__":
    main()
