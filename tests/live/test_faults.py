# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Folders that are full, read-only, removed or cut: it is said where, and what is lost is told."""
import contextlib
import os
import shutil

import harness
from harness import expect
import ocsf
import setup
from test_carry import fill
from test_pins import command, gaps, kill, says, send, told_packets


@contextlib.contextmanager
def room(box, size="1m"):
    """A small file system, and where it is."""
    path = os.path.join(box.directory, "room")
    os.makedirs(path, exist_ok=True)
    harness.command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
    try:
        yield path
    finally:
        harness.command("umount", "-l", path)


def config_in(box, **places):
    own = {name: os.path.join(box.directory, name) for name in
           ("state_directory", "runtime_directory")}
    return {**setup.recording(box), "pins": "", **own, **places}


def start_refused(box):
    """What it cannot write to at its start ends it with 74 and the name of the place."""
    for name in ("state_directory", "runtime_directory"):
        for what, words in (("full", "No space left on device"), ("ro", "Read-only file system")):
            with room(box) as path:
                config = config_in(box, **{name: path})
                if what == "full":
                    fill(os.path.join(path, "filler"))
                else:
                    harness.command("mount", "-o", "remount,ro", path)
                done = command(box, "run", config, "--seconds", "1")
                expect(done.returncode == 74 and path in done.stdout and words in done.stdout,
                       name, what, done)
                if what == "full":
                    os.unlink(os.path.join(path, "filler"))
                    done = command(box, "run", config, "--seconds", "1")
                    expect(done.returncode == 0, "with room again:", done)


def by_number(agent):
    return {(ocsf.dig(e, "metadata", "log_name"), ocsf.dig(e, "metadata", "sequence")):
            ocsf.dig(e, "metadata", "uid") for e in agent.kept()}


def gone(agent):
    return sum(ocsf.lost(e) for e in agent.kept() if ocsf.kind(e) == "gap" and
               ocsf.enrichment(e, "event", "reason") == "gone")


def tail_cut(box):
    """The journal loses its last entries while nobody runs: told, and their numbers are not reused."""
    for lost in (1, 4):
        with harness.Agent(box, setup.recording(box)) as agent:
            for _ in range(5):
                send(box)
            setup.let_idle()
            expect(agent.stop() == 0, "exit status")
            before = by_number(agent)
            segment, = [os.path.join(folder, name) for folder, _, names in os.walk(agent.state)
                        for name in names if name.endswith(".seg")]
            frames = harness.segment_frames(segment)
            os.truncate(segment, frames[-lost] + 10)
            agent.start()
            expect(agent.stop() == 0, "exit status")
            after = by_number(agent)
            reused = [number for number in before if after.get(number, before[number]) !=
                      before[number]]
            expect(not reused, "numbers given twice:", reused)
            missing = len(set(before) - set(after))
            expect(missing == gone(agent), missing, "entries are missing, told are", gone(agent))
            expect(missing <= lost and (missing or lost == 1), missing, "of", lost, "are missing")


def state_removed(box):
    """The journal is removed under a running agent: status says it, and the next start what is lost."""
    with harness.Agent(box, setup.recording(box)) as agent:
        send(box)
        setup.let_idle()
        before = len(agent.kept())
        shutil.rmtree(agent.state)
        send(box)
        harness.wait_until(lambda: agent.status()["journal"]["failing"], 5, "status to say it")
        setup.let_idle()
        numbered = agent.status()["journal"]["admitted"]
        expect(agent.stop(60) == 74, "exit status")
        agent.start()
        expect(agent.stop() == 0, "exit status")
        entries = agent.kept()
        told = told_packets(agent)
    expect(told in (20, 40), told, "packets told: those of the second flow, at least")
    expect(gone(agent) <= before, "told as gone are", gone(agent), "of", before)
    kept_before = [e for e in entries if ocsf.dig(e, "metadata", "log_name").count(".") == 0]
    expect(len(kept_before) + gone(agent) >= numbered, len(kept_before), "+", gone(agent), "of",
           numbered)


def runtime_removed(box):
    """What is owed and the socket are made anew: killed after that, it has lost nothing."""
    config = setup.recording(box, pins=box.pins())
    with harness.Agent(box, config) as agent:
        send(box)
        shutil.rmtree(agent.runtime)
        harness.wait_until(lambda: says(agent, ("somebody removed files of runtime_directory",)), 5,
                           "it to be told: " + agent.tail())
        expect(agent.status()["kernel"]["pinned"], "status")
        send(box)
        kill(agent)
        agent.start()
        setup.let_idle()
        expect(told_packets(agent) == 40, told_packets(agent), "of 40 packets told")
        expect(not gaps(agent), "gaps:", gaps(agent))
        kill(agent)
        command(box, "detach", config)


def tests():
    yield "fault-start-refused", start_refused
    yield "fault-tail-cut", tail_cut
    yield "fault-state-removed", state_removed
    yield "fault-runtime-removed", runtime_removed
