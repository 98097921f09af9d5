# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""guest - runs in the lab's guest: ticks of each operation with the agent off and on.

QEMU counts instructions there, and the processor's ticks are instructions. While a
load runs the agent is stopped, so that only the path of the load itself is counted,
not what the agent does meanwhile on the same processor. Prints one line, "@@bench" and
a JSON object, for guard.py on the host. Needs nothing but what the live tests import.
"""
import json
import os
import signal
import subprocess
import time

LOAD, DEMARC, PROGS = "build/bench/load", "build/demarc", "build/bench/progs"
SCOPE = "/sys/fs/cgroup/bench"
ROUNDS = 3
# name, operation, address, port, times
LOADS = (("refused", "refused", "127.0.0.1", 7999, 1500),
         ("connect", "connect", "192.0.2.2", 7000, 1500),
         ("udp", "udp", "192.0.2.2", 7000, 3000),
         ("pp", "pp", "192.0.2.2", 7000, 1500),
         ("exec", "exec", "127.0.0.1", 7000, 150),
         ("other", "other", "127.0.0.1", 7000, 3000))


def sh(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def find_ip():
    """busybox's own ip knows no namespaces."""
    return next(path for path in ("/bin/ip", "/sbin/ip", "/usr/bin/ip", "/usr/sbin/ip")
                if os.path.exists(path) and not os.path.islink(path))


def set_up(ip):
    os.makedirs(SCOPE)
    for name in ("app", "sink"):
        sh(ip, "netns", "add", name)
        sh(ip, "-n", name, "link", "set", "lo", "up")
    sh(ip, "-n", "app", "link", "add", "b0", "type", "veth", "peer", "name", "b1", "netns", "sink")
    for name, device, address in (("app", "b0", "192.0.2.1/24"), ("sink", "b1", "192.0.2.2/24")):
        sh(ip, "-n", name, "addr", "add", address, "dev", device)
        sh(ip, "-n", name, "link", "set", device, "up")
    subprocess.Popen([ip, "netns", "exec", "sink", LOAD, "serve", "192.0.2.2", "7000", "forever"])
    time.sleep(2)


def ticks(ip, operation, address, port, times):
    join = f'echo $$ >{SCOPE}/cgroup.procs; exec "$@"'
    return int(sh("sh", "-c", join, "sh", ip, "netns", "exec", "app", LOAD, "count", operation,
                  address, str(port), str(times)))


def measure(ip):
    return {name: ticks(ip, *load) for name, *load in LOADS}


def agent_start():
    os.makedirs("/tmp/run", exist_ok=True)
    agent = subprocess.Popen([DEMARC, "run", "--quiet", "--set", f"scope={SCOPE}",
                              "--set", "state_directory=/tmp/state", "--set", "pins=",
                              "--set", "runtime_directory=/tmp/run", "--set", "log.level=error",
                              "--set", "nic.interfaces=b0", "--set", "nic.netns=/run/netns/app"])
    for _ in range(600):
        if os.path.exists("/tmp/run/default.sock"):
            time.sleep(2)
            return agent
        if agent.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("the agent did not start")


def loaded(before):
    """name -> (looked at by the verifier, translated bytes, runs, ns), of what has come since."""
    found = {}
    for line in sh(PROGS).splitlines():
        name, number, *values = line.split()
        if int(number) not in before:
            known = found.get(name, (0, 0, 0, 0))
            found[name] = tuple(a + int(b) for a, b in zip(known, values))
    return found


def profile(ip, before):
    """load -> program -> (runs, instructions) of one operation: here a ns is an instruction."""
    with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
        switch.write("1")
    found = {}
    for name, *load in LOADS:
        first = loaded(before)
        ticks(ip, *load)
        found[name] = {program: [(after[i] - first[program][i]) / load[-1] for i in (2, 3)]
                       for program, after in loaded(before).items()}
    with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
        switch.write("0")
    return found


def main():
    ip = find_ip()
    set_up(ip)
    before = {int(line.split()[1]) for line in sh(PROGS).splitlines()}
    off, on = [], []
    for number in range(ROUNDS):
        off.append(measure(ip))
        agent = agent_start()
        agent.send_signal(signal.SIGSTOP)
        on.append(measure(ip))
        if number == ROUNDS - 1:
            programs, profiled = loaded(before), profile(ip, before)
        agent.send_signal(signal.SIGCONT)
        agent.terminate()
        agent.wait()
        if os.path.exists("/tmp/run/default.sock"):
            os.unlink("/tmp/run/default.sock")
    print("\n@@bench " + json.dumps({"kernel": os.uname().release, "off": off, "on": on,
                                     "programs": {name: sizes[:2]
                                                  for name, sizes in programs.items()},
                                     "profile": profiled}), flush=True)


if __name__ == "__main__":
    main()
