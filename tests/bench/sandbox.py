# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""sandbox - where the loads run: a cgroup, two namespaces joined by veth, files of its own.

    app 192.0.2.1 --- veth --- sink 192.0.2.2 and all of 198.18.0.0/15

The app's cgroup is the agent's scope. In the sink listens a server outside of it on
port 7000, as on another machine, and one inside of it on port 7001, so that both ends
pay; the app's own loopback has one inside of it on port 7000. 198.18.0.0/16 is said to
lie in Germany, 198.19.0.0/16 in China; of both the sink throws the upper half away.
"""
import os
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
NAME = "demarc-bench"
HOME, AWAY = "198.18.0.1", "198.19.0.1"
HOME_HOLE, AWAY_HOLE = "198.18.128.1", "198.19.128.1"


class Missing(Exception):
    """This machine cannot take the measurement."""


def sh(*command, check=True):
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)


def cgroup_mount():
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            if " - cgroup2 " in line:
                return line.split()[4]
    raise Missing("no cgroup v2 tree")


class Sandbox:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.demarc = os.path.join(self.build, "demarc")
        self.load_program = os.path.join(self.build, "bench", "load")
        self.work = os.path.join(self.build, "bench", "work")
        self.pins = os.path.join(self.work, "pins")
        self.runtime = os.path.join(self.work, "run")  # in memory, as /run is
        self.app, self.sink = f"{NAME}-app", f"{NAME}-sink"
        self.scope = os.path.join(cgroup_mount(), NAME)
        self.inside = os.path.join(self.scope, "load")
        # One cgroup may hold an eighth of a crowded table.
        self.groups = [os.path.join(self.scope, f"load-{i}") for i in range(8)]
        self.children = []

    def __enter__(self):
        self.remove()
        try:
            self._make()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def _make(self):
        os.makedirs(self.pins)
        os.makedirs(self.runtime)
        for folder in (self.inside, *self.groups):
            os.makedirs(folder)
        sh("mount", "-t", "bpf", "bpf", self.pins)
        sh("mount", "-t", "tmpfs", "tmpfs", self.runtime)
        self._make_files()
        for name in (self.app, self.sink):
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", self.app, "link", "add", "b0", "type", "veth", "peer", "name", "b1",
           "netns", self.sink)
        for name, device, address in ((self.app, "b0", "192.0.2.1/24"),
                                      (self.sink, "b1", "192.0.2.2/24")):
            sh("ip", "-n", name, "addr", "add", address, "dev", device)
            sh("ip", "-n", name, "link", "set", device, "up")
        sh("ip", "-n", self.app, "route", "add", "198.18.0.0/15", "via", "192.0.2.2")
        sh("ip", "-n", self.sink, "route", "add", "local", "198.18.0.0/15", "dev", "lo")
        for hole in ("198.18.128.0/17", "198.19.128.0/17"):
            sh("ip", "-n", self.sink, "route", "add", "blackhole", hole, "table", "local")
        sh("ip", "netns", "exec", self.app, "sh", "-c",
           "echo 1024 65000 >/proc/sys/net/ipv4/ip_local_port_range")
        time.sleep(0.3)
        for netns, scoped, port in ((self.sink, False, 7000), (self.sink, True, 7001),
                                    (self.app, True, 7000)):
            self.start(netns, scoped, "serve", "0.0.0.0", port, "forever")
        time.sleep(0.2)

    def _make_files(self):
        with open(os.path.join(self.work, "places.csv"), "w") as out:
            out.write("198.18.0.0/16,DE,DE\n198.19.0.0/16,CN,CN\n")
        with open(os.path.join(self.work, "empty.json"), "w") as out:
            out.write("{}\n")

    def words(self, netns, scoped, *load, group=None):
        """Join the cgroup first, the namespace second: ip netns exec mounts /sys anew."""
        script = 'echo $$ >"$1/cgroup.procs"; shift; exec ip netns exec "$@"'
        group = group or (self.inside if scoped else cgroup_mount())
        return ["sh", "-c", script, "sh", group, netns, self.load_program, *map(str, load)]

    def start(self, netns, scoped, *load, group=None, **more):
        child = subprocess.Popen(self.words(netns, scoped, *load, group=group), start_new_session=True,
                                 stdin=subprocess.DEVNULL, **more)
        self.children.append(child)
        return child

    def end(self, child):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        if child in self.children:
            self.children.remove(child)

    def load(self, *load):
        """Run one load in the scope to its end; what it prints."""
        done = subprocess.run(self.words(self.app, True, *load), stdout=subprocess.PIPE, text=True,
                              timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"load {' '.join(map(str, load))} ended with {done.returncode}")
        return done.stdout.split()

    def remove(self):
        for child in list(self.children):
            self.end(child)
        for name in (self.app, self.sink):
            sh("ip", "netns", "del", name, check=False)
        for folder in (self.pins, self.runtime):
            sh("umount", folder, check=False)
        shutil.rmtree(self.work, ignore_errors=True)
        for folder in (self.inside, *self.groups, self.scope):
            for _ in range(50):
                if not os.path.isdir(folder):
                    break
                try:
                    os.rmdir(folder)
                except OSError:
                    time.sleep(0.1)
