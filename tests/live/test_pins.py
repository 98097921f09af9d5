# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The kernel counts on while the agent is away; who comes next takes over what it finds."""
import os
import subprocess
import sys
import time

import harness
from harness import AWAY4, expect
import ocsf
import pinned
import setup

OTHER_RING = 4194304


def settings(box, **more):
    return setup.recording(box, pins=box.pins(), **more)


def command(box, verb, config, *options, seconds=30):
    words = [box.demarc, verb, *options]
    for key, value in config.items():
        words += ["--set", f"{key}={value}"]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=seconds * harness.PATIENCE)


def kill(agent):
    agent.process.kill()
    agent.process.wait()


def send(box, count=20):
    box.send("udp", options=("-a", AWAY4, "-p", 9000, "-k", count))


def gaps(agent):
    return [(e["start_time"], e["end_time"], e.get("message")) for e in agent.kept()
            if ocsf.kind(e) == "gap"]


def told_packets(agent):
    """Of the flow that send() makes, told by its records."""
    return sum(ocsf.enrichment(e, "event", "delta_packets") or 0 for e in agent.kept()
               if ocsf.kind(e) == "flow" and ocsf.dst_ip(e) == AWAY4)


class Left:
    """What a killed agent leaves; afterwards it is detached, whatever the test made of it."""

    def __init__(self, box, config=None):
        self.box, self.config = box, config or settings(box)
        self.folder = pinned.Folder(box.pins())
        self.agent = harness.Agent(box, self.config)

    def __enter__(self):
        began = time.monotonic()
        self.agent.start()
        self.seconds = time.monotonic() - began
        self.name, = self.folder.sets()
        self.before = self.folder.settings(self.name)
        self.links = self.folder.names(self.name, "link_")
        kill(self.agent)
        return self

    def __exit__(self, *_):
        for agent in self.box.agents:
            if agent.process.poll() is None:
                kill(agent)
        command(self.box, "detach", self.config)


def away(box):
    """Killed: programs and maps are there and count; the next agent takes the same set over."""
    with Left(box) as left:
        links = left.folder.names(left.name, "link_")
        expect("link_flow_gate" in links, "the gate is not pinned:", links)
        before = left.folder.packets(left.name)
        send(box)
        after = left.folder.packets(left.name)
        expect(after == before + 20, "counted", after - before, "of 20 packets while away")
        began = time.monotonic()
        with harness.Agent(box, left.config) as agent:
            seconds = time.monotonic() - began
            expect("the kernel was counting already" in agent.log(), agent.tail())
            expect(left.folder.sets() == [left.name], "sets:", left.folder.sets())
            now = left.folder.settings(left.name)
            expect(now == left.before, "settings were", left.before, "and are", now)
            expect(left.folder.names(left.name, "link_") == links, "other links are pinned")
            rows = {row["subject"]: row["state"] for row in agent.status()["coverage"]}
            expect(rows.get("counting while the agent is away") == "attached", rows)
            expect(rows.get("egress") == "attached", rows)
            kill(agent)
    return f"ready after {left.seconds:.2f} s, the second time after {seconds:.2f} s"


def other_build(box):
    """Programs of another build are replaced where they are: the set counts on."""
    with Left(box) as left:
        left.folder.pretend_build(left.name, 1)
        with harness.Agent(box, left.config) as agent:
            expect("its programs are replaced" in agent.log(), agent.tail())
            now = left.folder.settings(left.name)
            expect(now == {**left.before, "generation": left.before["generation"] + 1},
                   "settings were", left.before, "and are", now)
            links = left.folder.names(left.name, "link_")
            expect([name.rstrip("_01") for name in links] ==
                   [name.rstrip("_01") for name in left.links], "links were", left.links,
                   "and are", links)
            old = [name for name in links if name.endswith(f"_{left.before['generation']}")]
            expect(not old, "links of the old generation are left:", old)
            before = left.folder.packets(left.name)
            send(box)
            grown = left.folder.packets(left.name) - before
            expect(grown == 20, "saw", grown, "of 20 packets")
            kill(agent)


def half_replaced(box):
    """A start that was killed while it replaced programs: the next one ends the work."""
    with Left(box) as left:
        left.folder.pretend_build(left.name, 2**64 - 1)
        path = os.path.join(left.folder.path, left.name)
        os.rename(os.path.join(path, "link_process_fork_0"),
                  os.path.join(path, "link_process_fork_1"))
        with harness.Agent(box, left.config) as agent:
            links = left.folder.names(left.name, "link_process_fork")
            expect(links == ["link_process_fork_1"], links)
            expect(left.folder.settings(left.name)["build"] == left.before["build"], "build")
            kill(agent)


def half_made(box):
    """A set that was never whole is made anew."""
    with Left(box) as left:
        left.folder.pretend_build(left.name, 0)
        with harness.Agent(box, left.config) as agent:
            expect("never whole" in agent.log(), agent.tail())
            now = left.folder.settings(left.name)
            expect(now["set"] != left.before["set"], "the set is the same")
            expect(now["build"] == left.before["build"], "build", now)
            expect(not now["silent"], "it is silent")
            kill(agent)


def says(agent, words):
    """Entries in which the agent speaks so of its coverage."""
    return [e for e in agent.kept() if ocsf.kind(e) == "agent" and
            all(word in (e.get("message") or "") for word in words)]


def other_layout(box):
    """Rings of another size: the old set falls silent as the new one begins, is read, and goes."""
    with Left(box) as left:
        config = {**left.config, "ring.bulk_bytes": OTHER_RING}
        send(box)
        with harness.Agent(box, config) as agent:
            new, = [name for name in left.folder.sets() if name != left.name]
            expect(not left.folder.settings(new)["silent"], "the new set is silent")
            if left.name in left.folder.sets():
                expect(left.folder.settings(left.name)["silent"], "the old set counts on")
            harness.wait_until(lambda: left.folder.sets() == [new], 10, "the old set to go")
            before = left.folder.packets(new)
            send(box)
            expect(left.folder.packets(new) == before + 20, "the new set does not count")
            kill(agent)


def silenced(box):
    """A set of ours that was stopped and not removed is put aside, read to its end, and goes."""
    with Left(box) as left:
        send(box)
        left.folder.pretend_silent(left.name)
        with harness.Agent(box, left.config) as agent:
            expect("was stopped and not read to its end" in agent.log(), agent.tail())
            harness.wait_until(lambda: told_packets(agent) == 20, 10, "the old set to be told")
            expect(left.folder.sets() == [left.name], "sets:", left.folder.sets())
            now = left.folder.settings(left.name)
            expect(not now["silent"] and now["set"] != left.before["set"], "the set is the same")
            found = gaps(agent)
            expect(len(found) == 1, "gaps:", found)
            kill(agent)


def elsewhere(box):
    return {key: os.path.join(box.directory, "second") for key in
            ("state_directory", "runtime_directory")}


def refused(box):
    """One agent of an instance; and detach takes nothing from under it."""
    with harness.Agent(box, settings(box)) as agent:
        second = command(box, "run", {**agent.settings, **elsewhere(box)})
        expect(second.returncode == 74 and "is running" in second.stdout, second)
        detach = command(box, "detach", agent.settings)
        expect(detach.returncode == 74 and "is running" in detach.stdout, detach)
        expect(agent.process.poll() is None, "the agent ended")
        kill(agent)
        expect(command(box, "detach", agent.settings).returncode == 0, "detach")


def detach(box):
    """Afterwards the kernel holds what it held before, and the folder is gone."""
    config = settings(box)
    before = pinned.ids()
    with Left(box, config) as left:
        send(box)
        mine = pinned.ids() - before
        expect(mine, "nothing was left")
        done = command(box, "detach", config)
        expect(done.returncode == 0 and "1 set of maps removed" in done.stdout, done)
        expect("nobody had read 1 flow" in done.stdout, done.stdout)
        expect(not os.path.exists(box.pins()), "left:", os.listdir(os.path.dirname(box.pins())))
        harness.wait_until(lambda: not pinned.ids() & mine, 5,
                           "the kernel to let go of links, programs and maps")
        again = command(box, "detach", config)
        expect(again.returncode == 0 and "0 sets" in again.stdout, again)
    return f"{left.name}: {done.stdout.splitlines()[0]}"


def detach_all(box):
    """Every instance's sets go, but not those of one that runs, nor what others have pinned there."""
    configs = [settings(box, instance=name) for name in ("one", "two.b", "three")]
    other = os.path.join(box.pins(), "one", "other", "tool")
    for config in configs[:2]:
        with harness.Agent(box, config) as agent:
            kill(agent)
    os.makedirs(other)
    with harness.Agent(box, configs[2]) as agent:
        done = command(box, "detach", {"pins": box.pins()}, "--all")
        expect(done.returncode == 74, done)
        expect("instance 'three' is running" in done.stdout, done.stdout)
        for name in ("one", "two.b"):
            expect(f"{name}: 1 set of maps removed" in done.stdout, done.stdout)
        expect(pinned.Folder(box.pins(), "one").sets() == ["other"], "others' folder is gone")
        expect(not pinned.Folder(box.pins(), "two+b").sets(), "a set is left")
        kill(agent)
    done = command(box, "detach", {"pins": box.pins()}, "--all")
    expect(done.returncode == 0 and done.stdout.startswith("three: 1 set"), done)
    expect(os.path.isdir(other), "others' folder is gone")
    done = command(box, "detach", {"pins": box.pins()}, "--all")
    expect(done.returncode == 0 and "no instance has a set in" in done.stdout, done)
    for path in (other, os.path.dirname(other), os.path.join(box.pins(), "one"), box.pins()):
        os.rmdir(path)


def detach_nothing(box):
    """Where there is nothing to remove, detach says why it found nothing."""
    plain = {"pins": box.directory}
    for options in ((), ("--all",)):
        done = command(box, "detach", plain, *options)
        expect(done.returncode == 0 and "nothing was found: no BPF file system is mounted at " +
               box.directory in done.stdout, done)
    done = command(box, "detach", {"pins": box.pins(), "instance": "nobody"})
    expect(done.returncode == 0 and f"{box.pins()}/nobody is not there" in done.stdout, done)


def scope_anew(box):
    """The scope's cgroup was removed and made again: another cgroup, so another set."""
    cgroup = harness.Cgroup(f"{harness.MARK}{os.getpid()}-again")
    config = settings(box, scope=cgroup.path)
    try:
        with Left(box, config) as left:
            cgroup.remove()
            os.makedirs(cgroup.path)
            with harness.Agent(box, config) as agent:
                new, = [name for name in left.folder.sets() if name != left.name]
                before = left.folder.packets(new)
                box.send("udp", cgroup=cgroup, options=("-a", AWAY4, "-p", 9000, "-k", 20))
                expect(left.folder.packets(new) == before + 20, "the new cgroup is not watched")
                kill(agent)
    finally:
        cgroup.remove()


def probe_apart(box):
    """demarc probe looks at the kernel, not at what is pinned."""
    with Left(box) as left:
        links = left.folder.names(left.name, "link_")
        done = command(box, "probe", left.config)
        expect(done.returncode == 0, done.stdout)
        expect("counting while the agent is away" in done.stdout, done.stdout)
        expect(left.folder.names(left.name, "link_") == links, "links changed")
        expect(left.folder.settings(left.name) == left.before, "settings changed")


IN_A_NAMESPACE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, PRIVATE_TREE, DETACH, CAPBSET_DROP, SYS_ADMIN = 0x20000, 1 << 18 | 1 << 14, 2, 24, 21
if libc.unshare(NEWNS) or libc.mount(b"none", b"/", None, ctypes.c_ulong(PRIVATE_TREE), None):
    sys.exit(os.strerror(ctypes.get_errno()))
while libc.umount2(b"/sys/fs/bpf", DETACH) == 0:
    pass
if sys.argv[1] == "drop":
    libc.prctl(CAPBSET_DROP, SYS_ADMIN, 0, 0, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""


def unmounted_at_start(box):
    """Without a BPF file system at /sys/fs/bpf the agent mounts it; where it may not, it says so."""
    pins = f"/sys/fs/bpf/{os.path.basename(box.directory)}"
    for how, state, words in (("keep", "attached", "mounted /sys/fs/bpf"),
                              ("drop", "off", "cannot mount /sys/fs/bpf")):
        config = {**setup.recording(box), "nic.interfaces": "none", "nic.netns": "", "pins": pins}
        agent = harness.Agent(box, config)
        agent.words = [sys.executable, "-c", IN_A_NAMESPACE, how, *agent.words]
        with agent:
            expect(words in agent.log(), how, agent.tail())
            row, = [row for row in agent.status()["coverage"]
                    if row["subject"] == "counting while the agent is away"]
            expect(row["state"] == state, how, row)
            send(box)
            kill(agent)


def no_iterators(box):
    """A kernel without iterators: coverage says what is not told, and what is counted is exact."""
    os.environ["LD_PRELOAD"] = os.path.join(os.path.dirname(box.traffic_program), "refuse.so")
    try:
        with harness.Agent(box, setup.recording(box)) as agent:
            rows = {row["subject"]: row for row in agent.status()["coverage"]}
            for subject in ("idle and long flows", "sockets older than the agent"):
                expect(rows[subject]["state"] == "refused", rows[subject])
            send(box)
            setup.let_idle()
            expect(agent.stop() == 0, "exit status")
            expect(told_packets(agent) == 20, told_packets(agent), "of 20 packets told")
            expect(not gaps(agent), "gaps:", gaps(agent))
            words = ("idle and long flows", "not seen: ends of datagram flows")
            expect(says(agent, words), "the journal does not say it")
    finally:
        del os.environ["LD_PRELOAD"]


def nowhere(box):
    """Without a BPF file system the agent runs, and says what it cannot do."""
    config = setup.recording(box, pins=os.path.join(box.directory, "plain", "demarc"))
    with harness.Agent(box, config) as agent:
        row, = [row for row in agent.status()["coverage"]
                if row["subject"] == "counting while the agent is away"]
        expect(row["state"] == "off" and "no BPF file system" in row["why"], row)
        expect(agent.stop() == 0, "exit status")


def tests():
    yield "pins-away", away
    yield "pins-other-build", other_build
    yield "pins-half-replaced", half_replaced
    yield "pins-half-made", half_made
    yield "pins-other-layout", other_layout
    yield "pins-silenced", silenced
    yield "pins-refused", refused
    yield "pins-detach", detach
    yield "pins-detach-all", detach_all
    yield "pins-detach-nothing", detach_nothing
    yield "pins-scope-anew", scope_anew
    yield "pins-probe", probe_apart
    yield "pins-nowhere", nowhere
    yield "pins-mount", unmounted_at_start
    yield "no-iterators", no_iterators
