# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A flow keeps the program that opened it, whatever its process and parent become, and when."""
import contextlib
import itertools
import os
import shutil
import subprocess
import time

import harness
from harness import AWAY4, expect
import ocsf
import setup
from test_carry import pinned

SMALL_RING = 65536
OPENED, LATER, LAST, BETWEEN = range(4)
PORTS = itertools.count(9100, 10)  # the tests share one journal


class Person:
    """become, at a path of its own; what it is told goes to it alone, or to its child."""

    def __init__(self, box, folder):
        self.box, self.folder, self.port = box, folder, next(PORTS)
        source = os.path.join(os.path.dirname(box.traffic_program), "become")
        for place in ("old", "new"):
            os.makedirs(os.path.join(folder, place), exist_ok=True)
            for name in ("worker", "keeper", "other"):
                shutil.copy(source, self.path(place, name))
        self.child_end, self.child_pipe = os.pipe()
        self.process = subprocess.Popen(
            box.words("exec", rest=[self.path("old", "keeper")]), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[self.child_end])
        self._hear()
        self.parent("fork", self.child_end)
        self.child("exec", self.path("old", "worker"))

    def path(self, place, name):
        return os.path.join(self.folder, place, name)

    def _hear(self):
        line = self.process.stdout.readline().strip()
        expect(line == "ok", "become said:", line)

    def parent(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        self._hear()

    def child(self, *words):
        os.write(self.child_pipe, (" ".join(map(str, words)) + "\n").encode())
        self._hear()

    def open(self, which):
        self.child("open", AWAY4, self.port + which)
        self.child("send")

    def said(self, agent, *which):
        """Of each flow what all its entries say: the paths and the parents' names."""
        found = {}
        for each in which:
            entries = [e for e in agent.kept() if ocsf.kind(e) == "flow" and
                       ocsf.dst_port(e) == self.port + each]
            expect(entries, "no entry about flow", each)
            found[each] = {ocsf.path(e) for e in entries}, {ocsf.parent(e) for e in entries}
        return found

    def close(self):
        os.close(self.child_pipe)
        os.close(self.child_end)
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


@contextlib.contextmanager
def person(box):
    folder = os.path.join(box.directory, "people")
    one = Person(box, folder)
    try:
        yield one
    finally:
        one.close()
        shutil.rmtree(folder)


def never(what, found, wrong):
    expect(wrong not in found, what, "is the later program's:", found)


def start(box, settings):
    agent = harness.Agent(box, dict(settings))
    agent.start()
    return agent


def kill(agent):
    agent.process.kill()
    agent.process.wait()


def wait_for(agent, port):
    harness.wait_until(lambda: [e for e in agent.entries() if ocsf.dst_port(e) == port], 10,
                       "the first flow")


def fill(box):
    """Flows until the ring has no room for one more record."""
    box.send("spray", options=("-a", AWAY4, "-p", 9000, "-k", 4000, "-s", 4000))


def absence(box, change, told=(OPENED, LATER, LAST), overrun=False, **more):
    """One flow before the agent is killed, change() while it is away, one flow then, one after."""
    if overrun:
        more["ring.bulk_bytes"] = more["ring.critical_bytes"] = SMALL_RING
    with pinned(box, **setup.recording(box), **more) as settings, person(box) as one:
        first = start(box, settings)
        one.open(OPENED)
        wait_for(first, one.port + OPENED)
        kill(first)
        if overrun:
            fill(box)
        change(one)
        one.open(LATER)
        second = start(box, settings)
        one.open(LAST)
        setup.let_idle()
        expect(second.stop() == 0, "exit status")
        return one, one.said(second, *told), second.kept()


def away(box):
    """The process becomes another of the same name while no agent runs."""
    one, said, _ = absence(box, lambda p: p.child("exec", p.path("new", "worker")))
    expect(said[OPENED][0] == {one.path("old", "worker"), None}, "before:", said[OPENED])
    expect(said[LATER][0] == {one.path("new", "worker")}, "after:", said[LATER])
    expect(said[LAST] == ({one.path("new", "worker")}, {"keeper"}), "last:", said[LAST])


def parent_away(box):
    """Its parent becomes another: the flow from before keeps the parent's old name, or none."""
    one, said, _ = absence(box, lambda p: p.parent("exec", p.path("new", "other")))
    expect(said[OPENED][0] == {one.path("old", "worker")}, "before:", said[OPENED])
    never("the parent", said[OPENED][1], "other")
    expect(said[LAST][1] <= {"keeper", "other"}, "last:", said[LAST])


def unchanged(box):
    """Nothing becomes anything: path and parent are known on, for the kernel vouches for them."""
    one, said, _ = absence(box, lambda p: None)
    for flow in said:
        expect(said[flow] == ({one.path("old", "worker")}, {"keeper"}), flow, said[flow])


def overrun_away(box):
    """The same when the rings were full: nobody was told of the exec."""
    def change(one):
        one.child("exec", one.path("new", "worker"))
        one.parent("exec", one.path("new", "other"))

    one, said, kept = absence(box, change, told=(OPENED, LAST), overrun=True)
    lost = sum(ocsf.lost(e) or 0 for e in kept)
    expect(lost, "no record was lost")
    never("the path", said[OPENED][0], one.path("new", "worker"))
    never("the parent", said[OPENED][1], "other")
    expect(said[LAST][0] == {one.path("new", "worker")}, "last:", said[LAST])
    return f"{lost} records had no room"


def twice_away(box):
    """It becomes another and comes back: the three are told apart."""
    def change(one):
        one.child("exec", one.path("new", "worker"))
        one.open(BETWEEN)
        one.child("exec", one.path("old", "worker"))

    one, said, _ = absence(box, change, told=(OPENED, BETWEEN, LATER, LAST))
    expect(said[OPENED][0] <= {one.path("old", "worker"), None}, "before:", said[OPENED])
    expect(said[BETWEEN][0] == {one.path("new", "worker")}, "between:", said[BETWEEN])
    expect(said[LATER][0] == said[LAST][0] == {one.path("old", "worker")}, "after:", said)


def present(box):
    """With the agent there nothing is unknown."""
    with person(box) as one, harness.Agent(box, setup.recording(box)) as agent:
        one.open(OPENED)
        one.child("exec", one.path("new", "worker"))
        one.parent("exec", one.path("new", "other"))
        one.open(LATER)
        one.child("exec", one.path("old", "worker"))
        one.open(LAST)
        setup.let_idle()
        expect(agent.stop() == 0, "exit status")
        said = one.said(agent, OPENED, LATER, LAST)
        for flow, place, parent in ((OPENED, "old", "keeper"), (LATER, "new", "keeper"),
                                    (LAST, "old", "other")):
            expect(said[flow] == ({one.path(place, "worker")}, {parent}), flow, said[flow])


def tests():
    yield "exec-present", present
    yield "exec-away", away
    yield "exec-away-parent", parent_away
    yield "exec-away-unchanged", unchanged
    yield "exec-away-overrun", overrun_away
    yield "exec-away-twice", twice_away
