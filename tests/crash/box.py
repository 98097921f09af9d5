# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""box - the sandbox of the crash tests: the live tests' one, with pins, disks and loads.

A BPF file system of its own holds the pins, a small tmpfs stands in for a disk
that fills, and nftables counts at the sink what arrived for each place. All of it
is named after this process; what a killed run left is swept by the next.
"""
import glob
import json
import os
import re
import signal
import subprocess
import tempfile
import time

import harness
from harness import command, expect, wait_until
import setup

MARK = "demarc-crash-"
HOME, AWAY = ("198.51.100.7", "198.51.100.8"), ("203.0.113.7", "203.0.113.8")
FLOOD = [f"203.0.113.{number}" for number in range(128, 192)]  # too many places to count one by one
TCP_PORT, STREAM_PORT, CLOSED_PORT, UDP_PORT, ONCE_PORT = 8080, 8082, 8081, 9000, 9001

RECORD_HOME = setup.rule("record.home", "record", {"dst.location_country": {"eq": "DE"}},
                         "informational")
LEGAL = ",".join(sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                               "../../rules/legal/*.json"))))

COUNT_AT_SINK = """
table inet demarc {
	set seen { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; }
	chain count {
		type filter hook prerouting priority -300
		iifname != "sink0" accept
		ip daddr 203.0.113.128/25 drop
		meta l4proto { tcp, udp } add @seen { ip daddr . meta l4proto . th dport counter }
	}
	chain swallow {
		type filter hook input priority 0
		meta l4proto udp drop
	}
}
"""
PROTOCOLS = {"tcp": 6, "udp": 17}


def unmount(path):
    command("umount", "-l", path, check=False)
    try:
        os.rmdir(path)
    except OSError:
        pass


def sweep():
    """Unmount what runs that were killed have left."""
    with open("/proc/self/mounts") as mounts:
        paths = [line.split()[1] for line in mounts]
    for path in paths:
        match = re.match(rf"/tmp/{MARK}(\d+)\.", path)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            unmount(path)


class Load:
    """One sender in a cgroup of the scope."""

    def __init__(self, box, cgroup, verb, addresses, **options):
        words = [box.load_program, "-c", box.scope.child(cgroup).path, "-n", box.net.app_path]
        for address in addresses:
            words += ["-a", address]
        for letter, value in options.items():
            words += ["-" + letter, str(value)]
        self.process = subprocess.Popen([*words, verb], stdout=subprocess.PIPE, text=True,
                                        stdin=subprocess.DEVNULL)
        box.children.append(self.process)

    def is_running(self):
        return self.process.poll() is None

    def finish(self, seconds=60):
        """Its report, when it ends by itself."""
        try:
            out, _ = self.process.communicate(timeout=seconds * harness.PATIENCE)
        except subprocess.TimeoutExpired:
            raise harness.Failure("a load did not end") from None
        expect(self.process.returncode == 0, "a load ended with", self.process.returncode)
        return json.loads(out)

    def stop(self):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return self.finish()


class Box(harness.Sandbox):
    def __init__(self, build, full, emulated):
        sweep()
        super().__init__(build)
        self.full, self.emulated, self.build = full, emulated, build
        self.load_program = os.path.join(build, "crash", "load")
        self.next = os.path.join(build, "next", "demarc")
        self.other = os.path.join(build, "crash", "other", "build", "demarc")
        self.mounts = []
        nft = os.path.join(self.directory, "sink.nft")
        with open(nft, "w") as out:
            out.write(COUNT_AT_SINK)
        command("ip", "netns", "exec", self.net.sink, "nft", "-f", nft)

    def close(self):
        super().close()
        for path in self.mounts:
            unmount(path)
        self.mounts = []

    def size(self, reduced, full, emulated=None):
        """How many, or how long: in make test, at full size, in the lab."""
        if self.emulated:
            return reduced if emulated is None else emulated
        return full if self.full else reduced

    def mount(self, kind, *options):
        path = tempfile.mkdtemp(prefix=f"{MARK}{os.getpid()}.")
        command("mount", "-t", kind, *options, "demarc-crash", path)
        self.mounts.append(path)
        return path

    def unmount(self, path):
        unmount(path)
        self.mounts.remove(path)

    def reset(self):
        command("ip", "netns", "exec", self.net.sink, "nft", "flush", "set", "inet", "demarc", "seen")

    def arrived(self):
        """(packets, bytes with IP headers) that reached the sink, for each place."""
        found = {}
        text = command("ip", "netns", "exec", self.net.sink, "nft", "-j", "list", "set", "inet",
                       "demarc", "seen")
        for part in json.loads(text)["nftables"]:
            for element in part.get("set", {}).get("elem", []):
                address, protocol, port = element["elem"]["val"]["concat"]
                counter = element["elem"]["counter"]
                found[address, int(port), PROTOCOLS.get(protocol, protocol)] = (
                    counter["packets"], counter["bytes"])
        return found

    def serve(self):
        for port in (TCP_PORT, STREAM_PORT):
            self.start("serve-tcp", options=("-a", "0.0.0.0", "-p", port, "-k", 0, "-b", 0))

    def mixed(self, connections):
        """Several cgroups, allowed and forbidden places, short and long flows, answered and not."""
        both = HOME + AWAY
        return [
            Load(self, "web", "tcp", both, p=TCP_PORT, r=connections, b=300),
            Load(self, "web", "refused", AWAY, p=CLOSED_PORT, r=10),
            Load(self, "names", "udp", both, p=UDP_PORT, r=connections * 2, b=64, s=8),
            Load(self, "names", "stream", AWAY[:1], p=STREAM_PORT, r=50, b=1000),
            Load(self, "jobs", "udp-once", both, p=ONCE_PORT, r=max(1, connections // 4), b=20),
        ]


class Lives:
    """One agent over many processes: the same state, pins and settings, perhaps other builds."""

    def __init__(self, box, each=False, disk_mib=0, **more):
        """each: every record is an entry of its own. disk_mib: the journal's disk is that small."""
        self.box, self.each = box, each
        self.directory = tempfile.mkdtemp(prefix="lives-", dir=box.directory)
        self.pins = box.mount("bpf")
        self.disk = box.mount("tmpfs", "-o", f"size={disk_mib}m") if disk_mib else None
        rules = (setup.RECORD,) if each else (setup.ALERT, RECORD_HOME)  # one rule for each flow
        self.settings = {
            **setup.base(box, setup.rule_file(*rules)), "pins": self.pins,
            "place.legal": LEGAL,  # other builds have none beside them
            "state_directory": os.path.join(self.disk or self.directory, "state"),
            "runtime_directory": os.path.join(self.directory, "run"),
            "flows.idle_s": 3, "flows.interval_s": 1, "journal.fold_s": 2,
            "journal.flows": "each" if each else "folded",
            "journal.staging_mib": 512, "journal.quota_mib": 0,
            "ring.bulk_bytes": 16777216, "ring.critical_bytes": 16777216,
            **{key.replace("__", "."): value for key, value in more.items()}}
        self.state = self.settings["state_directory"]
        self.err_path = os.path.join(self.directory, "err.log")
        self.process = None
        self.environment = None  # of the next start; None: ours
        self.count = 0
        box.agents.append(self)
        box.reset()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Whatever happened: no process, no pin, no mount."""
        if self.process and self.process.poll() is None:
            self.kill()
        for path in (self.pins, self.disk):
            if path in self.box.mounts:
                self.box.unmount(path)

    def words(self, program, verb, *rest):
        sets = [word for key, value in self.settings.items() for word in ("--set", f"{key}={value}")]
        return [program, verb, *rest, *sets]

    def start(self, program=None, ready=True):
        """A new process takes over from the last."""
        os.makedirs(self.settings["runtime_directory"], mode=0o700, exist_ok=True)
        self.count += 1
        with open(self.err_path, "ab") as err:
            err.write(f"# life {self.count}\n".encode())
            err.flush()
            self.process = subprocess.Popen(
                self.words(program or self.box.demarc, "run", "--quiet"), stdout=err, stderr=err,
                stdin=subprocess.DEVNULL, env=self.environment)
        if ready:
            self.wait()

    def wait(self):
        wait_until(self._answers, 60, "the agent to answer")

    def _answers(self):
        expect(self.process.poll() is None, "the agent ended with", self.process.returncode, ":",
               self.log()[-1500:])
        return self.status(check=False)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=60):
        """SIGTERM; it must end well, with everything on disk."""
        self.process.terminate()
        try:
            status = self.process.wait(seconds * harness.PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise harness.Failure(f"the agent did not end within {seconds} s of SIGTERM: "
                                  f"{self.log()[-800:]}") from None
        expect(status == 0, "the agent ended with", status, ":", self.log()[-800:])

    def log(self):
        with open(self.err_path, errors="replace") as err:
            return err.read()

    def status(self, check=True, seconds=20):
        words = [self.box.demarc, "status", "--json", "--set",
                 f"runtime_directory={self.settings['runtime_directory']}"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=seconds * harness.PATIENCE)
        if done.returncode:
            expect(not check, "demarc status:", done.stderr.decode())
            return None
        return json.loads(done.stdout)

    def settle(self):
        """Until every flow is closed and what the rings hold is read; the status then."""
        def is_quiet():
            before = self.status()
            if before["pipeline"]["flows"]:
                return None
            time.sleep(1.2 * harness.PATIENCE)  # one more round over the table
            after = self.status()
            same = all(after["counters"][kind] == before["counters"][kind]
                       for kind in ("flow", "connect"))
            return same and not after["pipeline"]["flows"] and after

        try:
            return wait_until(is_quiet, 60, "all flows to close")
        except harness.Failure as failure:
            status = self.status()
            raise harness.Failure(f"{failure}: {status['pipeline']}, {status['counters']['flow']}"
                                  ) from None

    def detach(self):
        """Nothing may be left behind."""
        done = subprocess.run(self.words(self.box.demarc, "detach"), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        left = [os.path.join(folder, name) for folder, _, names in os.walk(self.pins)
                for name in names if not name.endswith(".debug")]  # the kernel's own
        expect(done.returncode == 0 and not left, "demarc detach:", done.stdout, "left", left)
        self.box.unmount(self.pins)

    def end(self):
        """All is told: the last status, then the journal is complete."""
        status = self.settle()
        self.stop()
        self.detach()
        return status
