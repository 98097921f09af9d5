# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Others take away, or lay beside it, what counts for us: it is put back, and told."""
import os
import time

import harness
from harness import AWAY4, expect
import ocsf
import pinned
from test_pins import (Left, OTHER_RING, command, elsewhere, gaps, kill, says, send, settings,
                       told_packets)


def gate_gone(box):
    """Somebody took the gate away: nothing was counted, and the next start says so."""
    with Left(box) as left:
        os.unlink(os.path.join(left.folder.path, left.name, "link_flow_gate"))
        time.sleep(0.2)
        send(box)
        with harness.Agent(box, left.config) as agent:
            agent.state = left.agent.state
            harness.wait_until(lambda: [e for e in agent.kept() if ocsf.kind(e) == "gap"], 5,
                               "a gap: " + agent.tail())
            before = left.folder.packets(left.name)
            send(box)
            expect(left.folder.packets(left.name) == before + 20, "the gate is not back")
            kill(agent)


def link_gone(box):
    """Somebody took other links away: the next start attaches them again, and says what it missed."""
    for name, subject, gap in (("sock_create", "socket owner", 1),
                               ("sock_release", "attempts without a packet", 0),
                               ("process_exec_0", "process life", 0)):
        with Left(box) as left:
            os.unlink(os.path.join(left.folder.path, left.name, f"link_{name}"))
            with harness.Agent(box, left.config) as agent:
                words = (subject, "was gone when the agent came", "attached again")
                harness.wait_until(lambda: says(agent, words), 5, name + ": " + agent.tail())
                found = gaps(agent)
                expect(len(found) == gap, name, "gaps:", found)
                expect(left.folder.names(left.name, "link_") == left.links, name, "is not back")
                kill(agent)
            with harness.Agent(box, left.config) as agent:
                expect("was gone when" not in agent.log().split("hooks attached")[-1],
                       "it is told twice", agent.tail())
                kill(agent)


def ends_gone(box):
    """Connections whose end nobody told are told once they are idle, and none stays for ever."""
    with Left(box) as left:
        os.unlink(os.path.join(left.folder.path, left.name, "link_flow_state_0"))
        box.start("serve-tcp", options=("-a", "::", "-p", 8080, "-k", 0))
        for _ in range(3):
            box.send("tcp", options=("-a", AWAY4, "-p", 8080))
        with harness.Agent(box, left.config) as agent:
            def closed():
                return [e for e in agent.kept() if ocsf.kind(e) == "flow" and
                        ocsf.dst_ip(e) == AWAY4 and
                        ocsf.enrichment(e, "event", "moment") == "close"]
            harness.wait_until(lambda: len(closed()) == 3, 10, "three flows to be closed")
            kill(agent)


def unpinned(box):
    """Somebody removes pins under a running agent: they come back, and are told."""
    with harness.Agent(box, settings(box)) as agent:
        folder = pinned.Folder(box.pins())
        name, = folder.sets()
        path = os.path.join(folder.path, name)
        every = folder.names(name, "")
        for lost in (["link_sock_create", "map_flows"], every):
            for each in lost:
                os.unlink(os.path.join(path, each))
            if lost == every:
                for place in (path, folder.path, box.pins()):
                    os.rmdir(place)
            words = (f"{len(lost)} names were gone", "pinned again")
            harness.wait_until(lambda: says(agent, words), 5, "it to be told: " + agent.tail())
            expect(folder.names(name, "") == every, "pinned is", folder.names(name, ""))
        second = command(box, "run", {**agent.settings, **elsewhere(box)})
        expect(second.returncode == 74 and "is running" in second.stdout, second)
        expect(not gaps(agent), "gaps:", gaps(agent))
        kill(agent)
        send(box)
        agent.start()
        harness.wait_until(lambda: told_packets(agent) == 20, 10, "what passed meanwhile")
        kill(agent)
        command(box, "detach", agent.settings)


def unmounted(box):
    """Their file system goes: the agent says that it counts only while it lives, until it is back."""
    subject = "counting while the agent is away"
    with harness.Agent(box, settings(box)) as agent:
        harness.command("umount", "-l", os.path.dirname(box.pins()))
        harness.wait_until(lambda: says(agent, ("will not count while", "no BPF file system")), 5,
                           "it to be told: " + agent.tail())
        rows = {row["subject"]: row for row in agent.status()["coverage"]}
        expect(rows[subject]["state"] == "off" and not agent.status()["kernel"]["pinned"], rows)
        folder = pinned.Folder(box.pins())  # mounted anew
        harness.wait_until(lambda: says(agent, ("pinned again",)), 5, "the pins to be back")
        rows = {row["subject"]: row for row in agent.status()["coverage"]}
        expect(rows[subject]["state"] == "attached" and agent.status()["kernel"]["pinned"], rows)
        before = folder.packets(folder.sets()[0])
        send(box)
        expect(folder.packets(folder.sets()[0]) == before + 20, "it does not count there")
        harness.command("umount", "-l", os.path.dirname(box.pins()))
        harness.wait_until(lambda: len(says(agent, ("will not count while",))) == 2, 5, "the end")
        expect(agent.stop() == 0, "exit status")
        expect(told_packets(agent) == 20, told_packets(agent), "of 20 packets are told")
        expect(not gaps(agent), "gaps:", gaps(agent))


def detached(box):
    """Somebody detaches the gate of a running agent: within a second or two it is back, and a gap told."""
    with harness.Agent(box, settings(box)) as agent:
        folder = pinned.Folder(box.pins())
        name, = folder.sets()
        since_ms = time.time() * 1000
        pinned.detach_link(os.path.join(folder.path, name, "link_flow_gate"))
        pinned.detach_link(os.path.join(folder.path, name, "link_sock_release"))
        words = ("detached by somebody, and attached again", "egress", "attempts without a packet")
        harness.wait_until(lambda: says(agent, words), 5, "it to be told: " + agent.tail())
        told = gaps(agent)
        expect(len(told) == 1 and told[0][0] <= since_ms < told[0][1] <= time.time() * 1000,
               "detached at", since_ms, "and told is", told)
        before = folder.packets(name)
        send(box)
        expect(folder.packets(name) == before + 20, "the gate is not back")
        kill(agent)
        agent.start()
        expect(len(gaps(agent)) == 1, "gaps:", gaps(agent))
        expect(agent.status()["kernel"]["adopted"], "the set is not found again")
        kill(agent)
        command(box, "detach", agent.settings)


def map_gone(box):
    """A set without a map that the agent writes to is made anew, whatever else it has."""
    with Left(box) as left:
        os.unlink(os.path.join(left.folder.path, left.name, "map_own_nets"))
        with harness.Agent(box, left.config) as agent:
            expect("never whole" in agent.log(), agent.tail())
            kill(agent)


def damaged(box):
    """A set of another layout that cannot be read: what is lost is said, and since when."""
    with Left(box) as left:
        killed_ms = time.time() * 1000
        send(box)
        os.unlink(os.path.join(left.folder.path, left.name, "map_totals"))
        with harness.Agent(box, {**left.config, "ring.bulk_bytes": OTHER_RING}) as agent:
            expect("cannot be read and is removed" in agent.log() and "1 flows and" in agent.log(),
                   agent.tail())
            began_ms = time.time() * 1000
            found = harness.wait_until(lambda: gaps(agent), 5, "a gap: " + agent.tail())
            expect(len(found) == 1 and found[0][0] <= killed_ms < found[0][1] <= began_ms,
                   "killed at", killed_ms, "begun before", began_ms, "and told is", found)
            expect(left.name not in left.folder.sets(), "it is still there")
            kill(agent)


def foreign(box):
    """What others have put among the sets is left alone, and disturbs nobody."""
    with Left(box) as left:
        places = [os.path.join(left.folder.path, *names) for names in
                  (("other",), ("other", "deep"), (left.name, "other"), (left.name + "0",))]
        for place in places:
            os.makedirs(place)
        os.symlink("/nowhere", os.path.join(left.folder.path, "link"))
        left.folder.pretend_build(left.name, 0)  # made anew, in a folder that cannot be removed
        with harness.Agent(box, left.config) as agent:
            expect("never whole" in agent.log(), agent.tail())
            before = left.folder.packets(left.name)
            send(box)
            expect(left.folder.packets(left.name) == before + 20, "the new set does not count")
            kill(agent)
        done = command(box, "detach", left.config)
        expect(done.returncode == 0 and "1 set of maps removed" in done.stdout, done)
        expect(all(map(os.path.isdir, places)), "others' folders are gone")
        os.unlink(os.path.join(left.folder.path, "link"))
        for place in reversed(places):
            os.rmdir(place)
        os.rmdir(os.path.join(left.folder.path, left.name))
        os.rmdir(left.folder.path)


def tests():
    yield "pins-gate-gone", gate_gone
    yield "pins-link-gone", link_gone
    yield "pins-ends-gone", ends_gone
    yield "pins-unpinned", unpinned
    yield "pins-unmounted", unmounted
    yield "pins-detached", detached
    yield "pins-map-gone", map_gone
    yield "pins-damaged", damaged
    yield "pins-foreign", foreign
