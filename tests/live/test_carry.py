# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Killed again and again under load, the agents together tell everything, and nothing twice."""
import contextlib
import os
import random
import subprocess
import threading
import time

import harness
from harness import AWAY4, HOME4, command, expect
import ocsf
import setup

PORT = 8090
KILLS, KILLS_EMULATED = 20, 6
SENDERS = 2
DATAGRAM_BYTES = 100
IP_UDP_BYTES = 28


@contextlib.contextmanager
def pinned(box, **more):
    """Settings under which the kernel counts on, in a BPF file system of the sandbox's own."""
    folder = os.path.join(box.directory, "pins")
    os.makedirs(folder, exist_ok=True)
    try:
        command("mount", "-t", "bpf", "bpf", folder)
    except harness.Failure as why:
        raise harness.Skipped(str(why)) from None
    settings = {**more, "pins": folder,
                "state_directory": os.path.join(box.directory, "carry-state"),
                "runtime_directory": os.path.join(box.directory, "carry-run")}
    try:
        yield settings
    finally:
        for agent in box.agents:
            if agent.process and agent.process.poll() is None:
                agent.process.kill()
                agent.process.wait()
        words = [word for key in ("pins", "state_directory", "runtime_directory", "scope",
                                  "nic.interfaces", "nic.netns")
                 for word in ("--set", f"{key}={settings.get(key, '')}")]
        said = command(box.demarc, "detach", *words)
        command("umount", folder)
        expect("set" in said, "demarc detach said:", said)


class Load:
    """Connections of known payload to both destinations, and datagrams, until told to end."""

    def __init__(self, box):
        self.box, self.ending = box, threading.Event()
        self.connections = self.forbidden = self.datagrams = 0
        self.wrong, self.lock = [], threading.Lock()
        self.threads = [threading.Thread(target=self._guard, args=(self._connect, number))
                        for number in range(SENDERS)]
        self.threads.append(threading.Thread(target=self._guard, args=(self._spray, 0)))
        for thread in self.threads:
            thread.start()

    def _guard(self, work, number):
        turn = number
        while not self.ending.is_set():
            try:
                work(turn)
            except Exception as error:  # the test's to tell
                self.wrong.append(error)
                return
            turn += 1

    def _connect(self, turn):
        away = turn % 2
        report = self.box.send("tcp", options=("-a", (HOME4, AWAY4)[away], "-p", PORT,
                                               "-k", 1 + turn % 5, "-b", 1000))
        with self.lock:
            self.connections += 1
            self.forbidden += away
        if report["failed"]:
            self.wrong.append(report)

    def _spray(self, turn):
        report = self.box.send("spray", options=("-a", (HOME4, AWAY4)[turn % 2], "-k", 50,
                                                 "-r", 500, "-b", DATAGRAM_BYTES))
        with self.lock:
            self.datagrams += report["sent"]

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        expect(not self.wrong, "the load itself failed:", self.wrong[:2])


def phase(entry):
    return ocsf.enrichment(entry, "judgement", "phase")


def delta_bytes(entries):
    return sum(ocsf.enrichment(e, "event", "delta_bytes") or 0 for e in entries)


def begun(entries, rule="record.all"):
    """Flows that a rule reports: an alert's last entry has the count of all, sums are added up."""
    entries = [e for e in entries if ocsf.rule_id(e) == rule]
    return sum(e.get("count") or 0 for e in entries if phase(e) in ("close", "sum")) + \
        sum(phase(e) is None for e in entries)


def kill_in_a_loop(agent, load):
    random.seed(1)
    kills = KILLS if harness.PATIENCE == 1 else KILLS_EMULATED
    for _ in range(kills):
        agent.start()
        time.sleep(random.uniform(0.02, 0.3))
        agent.process.kill()
        agent.process.wait()
        time.sleep(random.uniform(0, 0.2))
        expect(not load.wrong, "the load itself failed:", load.wrong[:2])
    return kills + 1


def number_each_once(agent):
    """Every (shard, sequence) of the segments as they lie there, from 0 on."""
    numbers = [(ocsf.dig(e, "metadata", "log_name"), ocsf.dig(e, "metadata", "sequence"))
               for e in agent.kept()]
    for shard in {name for name, _ in numbers}:
        found = sorted(sequence for name, sequence in numbers if name == shard)
        expect(found == list(range(len(found))), "numbers of", shard, "missing or twice:",
               sorted(set(range(len(found))) ^ set(found))[:5], len(found), len(set(found)))


def no_gap(entries):
    gaps = [(ocsf.enrichment(e, "event", "reason"), ocsf.lost(e), e.get("message"))
            for e in entries if ocsf.kind(e) == "gap"]
    expect(not gaps, len(gaps), "gaps are told of:", gaps[:3])


def told_once(status, flows, load, arrived):
    """By the generator's count, by the kernel's, and by what came out at the other end."""
    totals = status["totals"]
    datagrams = [e for e in flows if ocsf.protocol(e) == 17]
    streams = [e for e in flows if ocsf.protocol(e) == 6 and ocsf.witness(e) == "gate"]
    expect(begun(streams) == load.connections, begun(streams), "connections told of",
           load.connections)
    expect(begun(streams, "alert.away") == load.forbidden, begun(streams, "alert.away"),
           "forbidden connections told of", load.forbidden)
    expect(begun(datagrams) == load.datagrams, begun(datagrams), "datagram flows told of",
           load.datagrams)
    expect(delta_bytes(datagrams) == load.datagrams * (DATAGRAM_BYTES + IP_UDP_BYTES),
           delta_bytes(datagrams), "bytes of datagrams told of",
           load.datagrams * (DATAGRAM_BYTES + IP_UDP_BYTES))
    apart = sum(totals[name]["bytes"] for name in ("listener", "control", "late", "unparsed"))
    gate = delta_bytes([e for e in flows if ocsf.witness(e) == "gate"])
    expect(gate + apart == totals["gate"]["bytes"], gate, "bytes told +", apart, "of",
           totals["gate"]["bytes"], "at the gate")
    nic = delta_bytes([e for e in flows if ocsf.witness(e) == "nic"]) + \
        totals["nic_control"]["bytes"]
    packets, frames = arrived
    expect(gate + apart + nic == frames - harness.ETHERNET_BYTES * packets, gate, "+", apart, "+",
           nic, "bytes of", frames - harness.ETHERNET_BYTES * packets, "that arrived")
    return gate


def killed(box):
    with pinned(box, **setup.alerting(box, flows__interval_s=1, journal__fold_s=2,
                                      journal__staging_mib=256)) as settings:
        agent = harness.Agent(box, settings)
        agent.start()
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 100))
        before = box.net.counters()
        load = Load(box)
        agent.process.kill()
        agent.process.wait()
        kills = kill_in_a_loop(agent, load)
        agent.start()
        load.end()
        box.release()
        setup.let_idle()
        after = box.net.counters()
        status = agent.status()
        expect(agent.stop() == 0, "exit status")
        entries = agent.kept()
    number_each_once(agent)
    no_gap(entries)
    expect(status["kernel"]["adopted"], "the last agent found no set of maps")
    flows = [e for e in entries if ocsf.kind(e) == "flow"]
    told = told_once(status, flows, load, [b - a for a, b in zip(before, after)])
    opened = sum(phase(e) == "open" for e in flows)
    closed = sum(phase(e) == "close" for e in flows)
    expect(opened == closed, opened, "alerts opened and", closed, "closed")
    return (f"{kills} kills, {load.connections} connections, {load.datagrams} datagrams, "
            f"{told} bytes, {len(entries)} entries")


def says_unkept(agent):
    return any("what is owed cannot be kept" in (e.get("message") or "") for e in agent.entries())


def fill(path):
    """Until the file system has no room."""
    filler = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(filler, bytes(4096))
    except OSError:
        os.close(filler)


def full(box):
    """Without room for what is owed the agent goes on, says so, and keeps again when there is room."""
    room = os.path.join(box.directory, "room")
    os.makedirs(room)
    command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", room)
    try:
        agent = harness.Agent(box, setup.alerting(box, flows__interval_s=1, journal__fold_s=2,
                                                  runtime_directory=room))
        agent.start()
        fill(os.path.join(room, "filler"))
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 100))
        load = Load(box)
        harness.wait_until(lambda: says_unkept(agent), 20, "the agent to say that it keeps nothing")
        during = agent.status()["carry"]
        os.unlink(os.path.join(room, "filler"))
        harness.wait_until(lambda: agent.status()["carry"]["failing"] == 0, 10, "it to keep again")
        load.end()
        box.release()
        setup.let_idle()
        expect(agent.stop() == 0, "exit status")
    finally:
        agent.stop()
        command("umount", room)
    entries = agent.kept()
    expect(during["failing"] == 28 and during["errors"] > 0, "status says", during)
    number_each_once(agent)
    no_gap(entries)
    streams = [e for e in entries if ocsf.kind(e) == "flow" and ocsf.protocol(e) == 6 and
               ocsf.witness(e) == "gate"]
    expect(begun(streams) == load.connections, begun(streams), "connections told of",
           load.connections)
    return f"{during['errors']} turns not kept, {load.connections} connections told"


def kill_untold(agent):
    """Kill it when it watches, and before its first turn is kept."""
    with open(agent.err_path, "ab") as err:
        agent.process = subprocess.Popen(agent.words, stdout=subprocess.DEVNULL, stderr=err)
    harness.wait_until(lambda: agent.log().count("hooks attached") == 2, 10, "it to watch")
    agent.process.kill()
    agent.process.wait()
    return time.time() * 1000


def untold(box):
    """Who finds a set that counts, and no turn kept of it, says since when nobody did before."""
    room = os.path.join(box.directory, "untold")
    os.makedirs(room)
    command("mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", room)
    config = setup.recording(box, pins=box.pins(), detach_at_stop="true", runtime_directory=room)
    agent = harness.Agent(box, config)
    try:
        agent.start()
        expect(agent.stop() == 0, "exit status")
        stopped_ms = time.time() * 1000
        time.sleep(1)
        fill(os.path.join(room, "filler"))
        killed_ms = kill_untold(agent)
        os.unlink(os.path.join(room, "filler"))
        time.sleep(1)
        agent.start()
        expect(agent.status()["kernel"]["adopted"], "the set was not found")
        expect(agent.stop() == 0, "exit status")
    finally:
        agent.stop()
        command("umount", room)
    gaps = [(e["start_time"], e["end_time"]) for e in agent.kept() if ocsf.kind(e) == "gap"]
    expect(len(gaps) == 1, "gaps:", gaps, "while nobody counted from", stopped_ms)
    expect(gaps[0][0] <= stopped_ms + 10 and stopped_ms + 900 < gaps[0][1] <= killed_ms,
           "nobody counted from", stopped_ms, "until before", killed_ms, "but told is", gaps[0])


def tests():
    yield "carry-killed", killed
    yield "carry-full", full
    yield "carry-untold", untold
