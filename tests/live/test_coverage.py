# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a kernel refuses is said, with its reason and its price; the gate takes them all."""
import harness
from harness import AWAY4, expect
import ocsf
import setup

LOCKDOWN = "/sys/kernel/security/lockdown"
EXEC = "tp_btf/sched_process_exec"


def locked_down():
    """Whether no program may copy the kernel's memory (lockdown=confidentiality)."""
    try:
        with open(LOCKDOWN) as state:
            return "[confidentiality]" in state.read()
    except OSError:
        return False


def coverage(box):
    with harness.Agent(box, setup.recording(box)) as agent:
        rows = agent.status()["coverage"]
        report = box.send("udp", options=("-a", AWAY4, "-p", 9000))
        setup.let_idle()
        agent.stop()
        told = [f for f in ocsf.flows(agent.kept()) if ocsf.pid(f) == report["pid"]]
    refused = [row for row in rows if row["state"] == "refused"]
    expect(ocsf.attached(rows, "cgroup_skb/egress") and len(told) == 1, "the gate:", rows)
    expect(all(row["why"] and row["unseen"] for row in refused), "no reason or no price:", refused)
    if locked_down():
        expect([row["hook"] for row in refused] == [EXEC], "refused under lockdown:", refused)
        expect(ocsf.attached(rows, EXEC), "nothing took the place of what copies:", rows)
    return "refused: " + (", ".join(sorted({row["hook"] for row in refused})) or "nothing")


def tests():
    yield "coverage", coverage
