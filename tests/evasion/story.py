# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""story - every case is sent under one agent that writes every flow; then each judges its part."""
import os
import sys
import time

import cases
import harness
from harness import ETHERNET_BYTES, SINK4, Failure, Skipped, expect
import ocsf
import setup
import transports


class Told:
    """What was sent in one case, what arrived, and what the agent wrote about it."""

    def __init__(self, box, case, report, arrived, entries):
        self.box, self.case, self.report, self.arrived = box, case, report, arrived
        self.all_entries, self.all_flows = entries, ocsf.flows(entries)
        self.pids = set(report.get("pids", [report["pid"]]))
        self.entries = [e for e in entries if ocsf.is_network(e) and self.is_mine(e)]
        self.flows = [f for f in self.all_flows if self.is_mine(f)]
        self.attempts = [e for e in self.entries if ocsf.outcome(e)]

    def is_mine(self, entry):
        to = ocsf.dst_ip(entry)
        return to in (cases.address(self.case), cases.address(self.case, 6)) or (
            to == SINK4 and ocsf.pid(entry) in self.pids)

    def cell(self):
        witnesses = {ocsf.witness(f) for f in self.flows}
        noted = {ocsf.basis(e) for e in self.entries} & {"connect", "create", "holder", "listener"}
        named = {ocsf.pid(e) for e in self.entries if ocsf.pid(e) is not None}
        return "".join((
            "G" if "gate" in witnesses else "-",
            "C" if noted else "-",
            "N" if "nic" in witnesses else "F" if "forwarded" in witnesses else "-",
            "-" if not named else "P" if named <= self.pids else "X"))

    def sums(self):
        """Of closing entries, for a socket may close and open a flow more than once."""
        closed = [e for e in self.entries if ocsf.moment(e) == "close"]
        return sum(map(ocsf.packets_out, closed)), sum(map(ocsf.bytes_out, closed))


class Story:
    def __init__(self, box, wanted):
        self.box, self.sent = box, {}
        server = box.start("exec", rest=(sys.executable, "-B", os.path.join(cases.HERE, "senders.py"),
                                         "serve", "-", cases.PORT))
        with harness.Agent(box, setup.recording(box)) as agent:
            for case in cases.CASES:
                if wanted(case.name):
                    self.send(case)
                    self.release(server)
            setup.let_idle()
            box.sees_ends = ocsf.attached(agent.status()["coverage"], "tp_btf/inet_sock_set_state")
            agent.stop()
            self.entries = agent.entries()
        box.release()  # the sink's port is free for the monitor's own cases

    def release(self, server):
        self.box.children.remove(server)
        self.box.release()
        self.box.children.append(server)

    def send(self, case):
        before = self.box.net.counters()
        try:
            report = case.send(self.box, case)
        except (Failure, Skipped) as error:
            self.sent[case.name] = error
            return
        if case.oracle is None:  # connections that nobody waited for: let their last packets go
            time.sleep(0.5)
        after = transports.settled(self.box)
        packets = after[0] - before[0]
        self.sent[case.name] = report, (packets,
                                        after[1] - before[1] - packets * ETHERNET_BYTES)

    def told(self, case):
        if isinstance(self.sent[case.name], Exception):
            raise self.sent[case.name]
        return Told(self.box, case, *self.sent[case.name], self.entries)


def judge(box, case):
    told = box.story.told(case)
    cell = told.cell()
    box.cells[case.name] = cell
    expect(told.report["error"] == "" or case.name == "E15", "the sender failed:", told.report)
    expect(cell == case.cell, "seen:", cell, "instead of", case.cell,
           [(ocsf.kind(e), ocsf.dst_ip(e), ocsf.dst_port(e), ocsf.witness(e), ocsf.pid(e),
             ocsf.basis(e)) for e in told.entries][:4], "pids", sorted(told.pids)[:4])
    wanted = told.arrived if case.oracle == "exact" else case.oracle
    if wanted is not None:
        expect(told.sums() == wanted, "told", told.sums(), "packets, bytes, instead of", wanted)
        expect(wanted != (0, 0) or case.name.startswith("R") or told.arrived[0] > 0, "nothing was sent")
    if case.check:
        case.check(told)
    return f"{cell} {told.sums()[1]} bytes"


def tests(wanted):
    for case in cases.CASES:
        if wanted(case.name):
            yield case.name, lambda box, case=case: judge(box, case)
