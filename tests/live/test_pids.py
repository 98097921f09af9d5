# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Process ids that recur by themselves: whose flow it is, is right or unknown."""
import os
import shutil

import harness
from harness import AWAY4, expect
import ocsf
import setup

PROCESSES, PORT = 2000, 10000
MOST_UNKNOWN = PROCESSES // 1000


def kernel():
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])


def most_pids():
    with open("/proc/sys/kernel/pid_max") as most:
        return int(most.read())


def check(flow, own, is_even):
    """Wrong never; True when something that should be known is not."""
    word = "even" if is_even else "odd"
    pid, name, path = ocsf.pid(flow), ocsf.name(flow), ocsf.path(flow)
    expect(pid in (None, own), "pid", pid, "of", own)
    expect(name in (None, f"evade-{word}"), "name", name, "of", word)
    expect(path is None or path.endswith(f"evade-{word}"), "program", path, "of", word)
    return None in (pid, name, path)


def recur(box):
    """Two programs in turn in a namespace of 300 ids, where each id comes again and again."""
    if kernel() < (6, 14):
        raise harness.Skipped("the limit of process ids is the machine's: it is left alone")
    machines = most_pids()
    evade = os.path.join(os.path.dirname(box.demarc), "evasion", "evade")
    copies = []
    for word in ("even", "odd"):
        copies.append(os.path.join(box.directory, f"evade-{word}"))
        shutil.copy(evade, copies[-1])
    with harness.Agent(box, setup.recording(box)) as agent:
        report = box.send("exec", rest=[evade, "fewpids", AWAY4, PORT, PROCESSES, *copies],
                          seconds=120)
        expect(most_pids() == machines, "the machine's limit changed")
        setup.let_idle()
        expect(agent.stop(60) == 0, "exit status")
        flows = [e for e in ocsf.flows(agent.kept()) if ocsf.dst_port(e) >= PORT]
    expect(report["recurred"] > PROCESSES // 2, "only", report["recurred"], "ids recurred")
    expect(len(flows) == PROCESSES, len(flows), "flows of", PROCESSES)
    unknown = sum(check(flow, report["pids"][ocsf.dst_port(flow) - PORT],
                        (ocsf.dst_port(flow) - PORT) % 2 == 0) for flow in flows)
    expect(unknown <= MOST_UNKNOWN, unknown, "owners of", PROCESSES, "are unknown")
    return f"{report['recurred']} ids recurred, {unknown} owners of {PROCESSES} unknown"


def tests():
    yield "pids-recur", recur
