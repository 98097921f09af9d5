# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""harness - a sandbox for live tests: a cgroup, two network namespaces, an agent.

    app namespace                      sink namespace
    app0 192.0.2.10  --- veth ---      sink0 192.0.2.1
    2001:db8:1::10                     all of 198.51.100.0/24, 203.0.113.0/24,
                                       2001:db8:2::/48 and 2001:db8:3::/48

Only documentation addresses, and no route out. Neighbours are static and no
IPv6 address lies on the veth, so nothing crosses it but what a test sends. IPv4
fragments never: senders set DF. Everything is named after this process and goes
away with it; what a killed run left is swept by the next.
"""
import atexit
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib

import ocsf

APP4, SINK4 = "192.0.2.10", "192.0.2.1"
APP6 = "2001:db8:1::10"
HOME4, AWAY4 = "198.51.100.7", "203.0.113.7"
HOME6, AWAY6 = "2001:db8:2::7", "2001:db8:3::7"
PREFIXES4 = ("198.51.100.0/24", "203.0.113.0/24")
PREFIXES6 = ("2001:db8:2::/48", "2001:db8:3::/48")
APP_MAC, SINK_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ETHERNET_BYTES = 14
MARK = "demarc-live-"
PATIENCE = 1.0  # time limits are multiplied by this: software emulation is slow


class Failure(Exception):
    """What was expected did not come true."""


class Skipped(Exception):
    """The kernel lacks what the test is about."""


def expect(condition, *words):
    if not condition:
        raise Failure(" ".join(str(word) for word in words))


def command(*words, check=True):
    """Run, return stdout; a failure names the command and what it said."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60)
    if check and done.returncode:
        raise Failure(f"{' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def wait_until(is_true, seconds, what):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        answer = is_true()
        if answer:
            return answer
        time.sleep(0.05)
    raise Failure(f"waited {seconds} s for {what}")


def cgroup_mount():
    """The cgroup v2 tree: itself the root, or beside v1 on hybrid machines."""
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            before, _, after = line.partition(" - ")
            if after.split()[0] == "cgroup2":
                return before.split()[4]
    raise Failure("no cgroup v2 tree is mounted")


def mounts(kind):
    """Where file systems of a kind are mounted, the last mounted first."""
    with open("/proc/self/mounts") as lines:
        return [line.split()[1] for line in lines if line.split()[2] == kind][::-1]


class Cgroup:
    """A subtree of the v2 tree; leaves are made below it."""

    def __init__(self, name, parent=None):
        self.path = os.path.join(parent or cgroup_mount(), name)
        os.makedirs(self.path, exist_ok=True)

    def child(self, name):
        return Cgroup(name, self.path)

    def id(self):
        return os.stat(self.path).st_ino

    def pids(self):
        found = []
        for folder, _, _ in os.walk(self.path):
            with open(os.path.join(folder, "cgroup.procs")) as procs:
                found += [int(pid) for pid in procs.read().split()]
        return found

    def remove(self):
        """Kill who is in it, then remove it from the leaves up."""
        if not os.path.isdir(self.path):
            return
        for _ in range(100):
            pids = self.pids()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids:
                break
            time.sleep(0.02)
        for folder, _, _ in os.walk(self.path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError as error:
                print(f"# left behind: {folder}: {error}")


def sweep():
    """Remove what runs that were killed have left."""
    def is_stale(name):
        match = re.match(MARK + r"(\d+)", name)
        return match and not os.path.exists(f"/proc/{match[1]}")

    for path in mounts("bpf"):
        folder = os.path.dirname(path)
        if is_stale(os.path.basename(folder)):
            command("umount", path, check=False)
            shutil.rmtree(folder, ignore_errors=True)
    for name in os.listdir(cgroup_mount()):
        if is_stale(name):
            Cgroup(name).remove()
    if os.path.isdir("/run/netns"):
        for name in os.listdir("/run/netns"):
            if is_stale(name):
                command("ip", "netns", "del", name, check=False)


class Net:
    """Two namespaces joined by a veth pair."""

    def __init__(self):
        base = f"{MARK}{os.getpid()}"
        self.app, self.sink = f"{base}-app", f"{base}-sink"
        self.app_path, self.sink_path = f"/run/netns/{self.app}", f"/run/netns/{self.sink}"
        self._make()

    def _make(self):
        for name in (self.app, self.sink):
            command("ip", "netns", "add", name)
        command("ip", "-n", self.app, "link", "add", "app0", "address", APP_MAC, "type", "veth",
                "peer", "name", "sink0", "address", SINK_MAC, "netns", self.sink)
        for name, device in ((self.app, "app0"), (self.sink, "sink0")):
            command("ip", "-n", name, "link", "set", device, "addrgenmode", "none")
            for each in ("lo", device):
                command("ip", "-n", name, "link", "set", each, "up")
        self._address()
        self.sysctl(self.app, "net.ipv4.ip_local_port_range", "1024 65000")
        # Ports that a test listens on later must not be in TIME_WAIT by then.
        self.sysctl(self.app, "net.ipv4.ip_local_reserved_ports", "8000-8999")
        self.sysctl(self.app, "net.ipv4.ping_group_range", "0 2147483647")
        for name in (self.app, self.sink):
            self.sysctl(name, "net.ipv4.tcp_fastopen", "1543")
            self.sysctl(name, "net.ipv4.tcp_max_tw_buckets", "4096")
            self.sysctl(name, "net.mptcp.enabled", "1", check=False)

    def _address(self):
        app, sink = ("ip", "-n", self.app), ("ip", "-n", self.sink)
        command(*app, "address", "add", f"{APP4}/24", "dev", "app0")
        command(*sink, "address", "add", f"{SINK4}/24", "dev", "sink0")
        command(*app, "address", "add", f"{APP6}/128", "dev", "lo", "nodad")
        command(*app, "neigh", "add", SINK4, "lladdr", SINK_MAC, "dev", "app0", "nud", "permanent")
        command(*sink, "neigh", "add", APP4, "lladdr", APP_MAC, "dev", "sink0", "nud", "permanent")
        command(*app, "-6", "neigh", "add", "fe80::1", "lladdr", SINK_MAC, "dev", "app0",
                "nud", "permanent")
        command(*sink, "-6", "neigh", "add", "fe80::2", "lladdr", APP_MAC, "dev", "sink0",
                "nud", "permanent")
        for prefix in PREFIXES4:
            command(*app, "route", "add", prefix, "via", SINK4)
            command(*sink, "route", "add", "local", prefix, "dev", "lo")
        for prefix in PREFIXES6:
            command(*app, "-6", "route", "add", prefix, "via", "fe80::1", "dev", "app0",
                    "onlink", "src", APP6)
            command(*sink, "-6", "route", "add", "local", prefix, "dev", "lo")
        command(*sink, "-6", "route", "add", f"{APP6}/128", "via", "fe80::2", "dev", "sink0",
                "onlink")

    @staticmethod
    def sysctl(name, key, value, check=True):
        command("ip", "netns", "exec", name, "sh", "-c",
                f"echo {value} > /proc/sys/{key.replace('.', '/')}", check=check)

    def counters(self, device="sink0"):
        """What arrived at the peer: (packets, bytes with Ethernet headers)."""
        name = self.sink if device == "sink0" else self.app
        link = json.loads(command("ip", "-n", name, "-s", "-j", "link", "show", "dev", device))[0]
        received = link["stats64"]["rx"]
        return received["packets"], received["bytes"]

    def remove(self):
        for name in (self.app, self.sink):
            command("ip", "netns", "del", name, check=False)


class Agent:
    """demarc run, and what it says."""

    def __init__(self, sandbox, settings, arguments=()):
        self.sandbox = sandbox
        self.directory = tempfile.mkdtemp(prefix="agent-", dir=sandbox.directory)
        self.out_path = os.path.join(self.directory, "out.jsonl")
        self.err_path = os.path.join(self.directory, "err.log")
        self.state = settings.setdefault("state_directory", os.path.join(self.directory, "state"))
        self.runtime = settings.setdefault("runtime_directory",
                                           os.path.join(self.directory, "run"))
        settings.setdefault("pins", "")  # nothing outlives the agent, unless a test asks for it
        self.words = [sandbox.demarc, "run", "--json"]
        for key, value in settings.items():
            self.words += ["--set", f"{key}={value}"]
        self.words += list(arguments)
        self.settings = settings
        self.process = None
        self.started_at = 0  # where in out_path what this start wrote begins

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        os.makedirs(self.runtime, mode=0o700, exist_ok=True)
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.started_at = out.tell()
            self.process = subprocess.Popen(self.words, stdout=out, stderr=err,
                                            stdin=subprocess.DEVNULL)
        self.sandbox.agents.append(self)
        wait_until(self._is_ready, 30, "the agent to be ready: " + self.tail())

    def tail(self):
        return self.log()[-800:]

    def _is_ready(self):
        if self.process.poll() is not None:
            raise Failure(f"the agent ended with {self.process.returncode}: {self.tail()}")
        return ocsf.is_start(self.entries(self.started_at)) and self.status(check=False)

    def stop(self, seconds=30):
        """SIGTERM drains; returns the exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failure(f"the agent did not end within {seconds} s of SIGTERM") from None
        return self.process.returncode

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def log(self):
        with open(self.err_path, errors="replace") as err:
            return err.read()

    def entries(self, since=0):
        """Every whole line of --json so far, parsed: the journal's own bytes. since: a place in it."""
        with open(self.out_path, "rb") as out:
            out.seek(since)
            lines = out.read().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def kept(self):
        """Every entry of the journal on disk, in order. --json may leave out, the journal not."""
        found = []
        for folder, _, names in os.walk(self.state):
            for segment in sorted(name for name in names if name.endswith(".seg")):
                found += read_segment(os.path.join(folder, segment))
        return sorted(found, key=lambda entry: (ocsf.dig(entry, "metadata", "log_name"),
                                                ocsf.dig(entry, "metadata", "sequence")))

    def status(self, check=True):
        words = [self.sandbox.demarc, "status", "--json"]
        for key in ("runtime_directory", "instance"):
            if key in self.settings:
                words += ["--set", f"{key}={self.settings[key]}"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
        if done.returncode:
            expect(not check, "demarc status:", done.stderr.decode())
            return None
        return json.loads(done.stdout)


FRAME = struct.Struct("<IIQQqII")  # length, crc, sequence, durable, logged_ms, class, pad
FRAME_ALIGN = 8


def unpacked(data, at):
    """The bytes of a segment whose frames begin there, also of one that is compressed."""
    if struct.unpack_from("<I", data, 8)[0] != 2:
        return data
    raw = bytearray(data[:at])
    while at < len(data):
        magic, _, packed = struct.unpack_from("<4sII", data, at)
        expect(magic == b"DMZ1", "byte", at, "is no block")
        raw += zlib.decompress(data[at + 24:at + 24 + packed])
        at += -(-(24 + packed) // FRAME_ALIGN) * FRAME_ALIGN
    return bytes(raw)


def segment_frames(path):
    """Where the frames of a segment begin."""
    with open(path, "rb") as segment:
        data = segment.read()
    at, = struct.unpack_from("<I", data, 12)
    found = []
    while at + FRAME.size <= len(data) and FRAME.unpack_from(data, at)[0]:
        found.append(at)
        at += -(-(FRAME.size + FRAME.unpack_from(data, at)[0]) // FRAME_ALIGN) * FRAME_ALIGN
    return found


def read_segment(path):
    """The entries of one journal segment: a header, then frames of bytes, padded."""
    with open(path, "rb") as segment:
        data = segment.read()
    expect(data[:8] == b"DEMARCJ1", path, "is no segment")
    at, = struct.unpack_from("<I", data, 12)
    data = unpacked(data, at)
    found = []
    while at + FRAME.size <= len(data):
        length = FRAME.unpack_from(data, at)[0]
        if length == 0:
            break
        found.append(json.loads(data[at + FRAME.size:at + FRAME.size + length]))
        at += -(-(FRAME.size + length) // FRAME_ALIGN) * FRAME_ALIGN
    return found


class Sandbox:
    """The cgroup, the namespaces and every process of one run of the suite."""

    def __init__(self, build):
        self.demarc = os.path.join(build, "demarc")
        self.traffic_program = os.path.join(build, "live", "traffic")
        self.agents, self.children = [], []
        sweep()
        self.directory = tempfile.mkdtemp(prefix=f"{MARK}{os.getpid()}-")
        atexit.register(self.close)
        self.scope = Cgroup(f"{MARK}{os.getpid()}")
        self.outside = Cgroup(f"{MARK}{os.getpid()}-outside")
        self.net = Net()

    def close(self):
        for agent in self.agents:
            if agent.process and agent.process.poll() is None:
                agent.process.kill()
                agent.process.wait()
        self.release()
        for cgroup in (self.scope, self.outside):
            cgroup.remove()
        if hasattr(self, "net"):
            self.net.remove()
        for path in mounts("bpf"):
            if path.startswith(self.directory + "/"):
                command("umount", path, check=False)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)
        self.agents = []
        atexit.unregister(self.close)

    def release(self):
        """End the servers that a test left."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()
            child.stdout.close()
        self.children = []

    def pins(self):
        """A folder for pins in a BPF file system of this run's own."""
        place = os.path.join(self.directory, "bpf")
        if place not in mounts("bpf"):
            os.makedirs(place, exist_ok=True)
            command("mount", "-t", "bpf", "bpf", place)
        return os.path.join(place, "demarc")

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def words(self, verb, side="app", cgroup=None, options=(), rest=()):
        group = cgroup or (self.scope if side == "app" else self.outside)
        netns = self.net.app_path if side == "app" else self.net.sink_path
        return [self.traffic_program, "-c", group.path, "-n", netns,
                *map(str, options), verb, *map(str, rest)]

    def start(self, verb, side="sink", **more):
        """A server; returns when it listens."""
        child = subprocess.Popen(self.words(verb, side, **more), stdout=subprocess.PIPE,
                                 stdin=subprocess.DEVNULL, text=True)
        self.children.append(child)
        line = child.stdout.readline()
        if line.strip() != "ready":
            needs(json.loads(line) if line else {})
        expect(line.strip() == "ready", verb, "did not listen:", line)
        return child

    def send(self, verb, side="app", seconds=20, **more):
        """One sender, to its end; its report."""
        try:
            done = subprocess.run(self.words(verb, side, **more), stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, text=True, timeout=seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{verb} did not end within {seconds * PATIENCE:.0f} s") from None
        expect(done.stdout, verb, "said nothing and ended with", done.returncode)
        report = json.loads(done.stdout.splitlines()[-1])
        needs(report)
        expect(report["tried"], verb, "could not try:", report["error"])
        return report


def needs(report):
    """Skip when the kernel lacks a protocol; any other error is the test's to judge."""
    if report.get("tried") is False and report["error"] in (
            "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EAFNOSUPPORT", "ENOPROTOOPT"):
        raise Skipped(f"the kernel has no {report['verb']}")
