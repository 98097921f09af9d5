# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the next life finds is of another layout, or damaged: told once, or said to be unknown."""
import glob
import os
import random
import signal
import time

from box import AWAY, HOME, Lives, Load, STREAM_PORT, TCP_PORT, UDP_PORT
from harness import expect
import oracle

LONG = {**{(address, UDP_PORT, 17): 8 for address in HOME + AWAY},
        (AWAY[0], STREAM_PORT, 6): 1}  # flows of box.mixed() that outlive a change of layout


TOLD = 2.5  # seconds in which long flows have had an update
INTERVAL = 1.1  # seconds between updates, and a little
FOLD_S = 5
SLACK = 0.02  # seconds: times of entries are in ms, and a record's is older than its turn


def pause(loads, number):
    for load in loads:
        load.process.send_signal(number)


def twice_at_most(box, sums, reports):
    """Nothing is told that did not arrive. Returns the packets that are not told."""
    arrived = box.arrived()
    over = [f"{where}: {sums.packets[where]} packets of {count}" for where, (count, _) in
            arrived.items() if sums.packets[where] > count]
    expect(not over, "told twice:", "; ".join(over[:6]))
    strange = set(+sums.packets) - set(arrived)
    expect(not strange, "told, and never sent:", strange)
    return sum(count - sums.packets[where] for where, (count, _) in arrived.items())


def at_rest(box):
    """Another layout takes over while nothing is sent: the old set's last byte is told, once."""
    with Lives(box, each=True) as lives:
        box.serve()
        changes = box.size(2, 6)
        lives.start()
        loads = box.mixed(box.size(200, 400, 20))
        for number in range(changes):
            time.sleep(TOLD)
            pause(loads, signal.SIGSTOP)
            time.sleep(0.2)
            lives.kill() if number % 2 else lives.stop()
            lives.start(box.demarc if number % 2 else box.other)
            pause(loads, signal.SIGCONT)
        time.sleep(0.5)
        reports = [load.stop() for load in loads]
        status = lives.end()
        sums = oracle.read(lives.state)
        oracle.identities(status)
        expect(sums.stray == 0, sums.stray, "flows are told as nobody's")
        expect(len(sums.downs) == changes, len(sums.downs), "gaps tell of", changes, "changes")
        for report in reports:
            for target in report["targets"]:
                where = target["address"], target["port"], target["protocol"]
                target["begun"] += LONG.get(where, 0) * changes  # told anew by each set
        # A connection that was cut in two by a change is two flows as well.
        cut = sum((sums.flows - oracle.expected(reports)[0]).values())
        expect(cut <= 2 * changes, cut, "flows too many")
        for report in reports:
            for target in report["targets"]:
                where = target["address"], target["port"], target["protocol"]
                target["begun"] += max(0, sums.flows[where] - target["begun"])
        flows, size = oracle.exact(sums, reports, box.arrived(), status)
        return f"{changes} changes of layout, {flows} flows, {size} bytes, none lost, none twice"


def under_load(box, killed):
    """Only what was sent in the moment that the gap tells of may be missing."""
    with Lives(box, each=True) as lives:
        box.serve()
        chance = random.Random(7)
        rate = box.size(200, 400, 20)
        lives.start()
        loads = box.mixed(rate)
        changes = box.size(2, 6)
        for number in range(changes):
            time.sleep(TOLD)
            lives.kill() if number % 2 else lives.stop()
            program = box.demarc if number % 2 else box.other
            for _ in range(box.size(3, 10) if killed else 0):
                lives.start(program, ready=False)
                time.sleep(chance.uniform(0.02, 0.5))
                lives.kill()
            lives.start(program)
        time.sleep(0.5)
        reports = [load.stop() for load in loads]
        status = lives.end()
        sums = oracle.read(lives.state)
        oracle.identities(status)
        oracle.alerts_closed(sums)
        gaps = sums.downs
        expect(changes <= len(gaps) <= 2 * changes, len(gaps), "gaps tell of", changes, "changes")
        unwatched = sum(to - since for since, to in gaps)
        missing = twice_at_most(box, sums, reports)
        most = packets_a_second(box, reports) * (unwatched + 0.1 * changes)
        expect(missing <= most, missing, "packets are missing, and within", unwatched,
               "s no more than", round(most), "were sent")
        return f"{changes} changes, {unwatched:.2f} s untold by name, {missing} packets in them"


def packets_a_second(box, reports):
    seconds = max(report["seconds"] for report in reports)
    return 2 * sum(count for count, _ in box.arrived().values()) / seconds


def carry_file(lives):
    found = glob.glob(os.path.join(lives.settings["runtime_directory"], "*.carry"))
    expect(len(found) == 1, "which is the carry file?", found)
    return found[0]


def garble(path):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.write(b"\xa5" * min(size, 4096))


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def carry_lost(box, spoil):
    """What was owed is gone: said in log and journal, and nothing uncertain passes for exact."""
    with Lives(box, each=True) as lives:
        box.serve()
        lives.start()
        loads = box.mixed(box.size(200, 400, 20))
        times = box.size(2, 10, 1)
        for _ in range(times):
            time.sleep(0.7)
            lives.kill()
            spoil(carry_file(lives))
            lives.start()
        time.sleep(0.5)
        reports = [load.stop() for load in loads]
        status = lives.end()
        sums = oracle.read(lives.state)
        oracle.identities(status)
        gaps = sums.downs
        expect(len(gaps) >= times, len(gaps), "gaps tell of", times, "lost carry files")
        expect("carry" in lives.log(), "the log does not say it:", lives.log()[-800:])
        doubtful = [told for told in sums.lives.values() if not oracle.is_whole(told)]
        # What is told first may have begun an interval before: its opening is what was lost.
        outside = [told for told in doubtful if not any(
            told[0][3] / 1000 - INTERVAL <= to + SLACK and since - SLACK <= told[-1][3] / 1000
            for since, to in gaps)]
        expect(not outside, len(outside), "flows are told wrongly outside of the gaps, the first:",
               outside[:2])
        flows, _ = oracle.expected(reports)
        return (f"{times} times: {len(gaps)} gaps say so, {len(doubtful)} of "
                f"{sum(flows.values())} flows are in doubt, all within them")


def carry_folded(box):
    """With the file go sums that were begun long before the last entry: so does the gap begin."""
    with Lives(box, journal__fold_s=FOLD_S) as lives:
        box.serve()
        lives.start()
        began = time.time()
        load = Load(box, "names", "udp", HOME, p=UDP_PORT, r=50, b=64, s=8)
        time.sleep(FOLD_S - 2)
        Load(box, "web", "tcp", AWAY[:1], p=TCP_PORT, k=1, b=100).finish()
        time.sleep(0.5)
        lives.kill()
        os.unlink(carry_file(lives))
        lives.start()
        reports = [load.stop()]
        oracle.identities(lives.end())
        sums = oracle.read(lives.state)
        missing = twice_at_most(box, sums, reports)
        expect(missing > 0, "nothing was folded and lost: this shows nothing")
        expect(len(sums.downs) == 1, "gaps:", sums.downs)
        since, to = sums.downs[0]
        expect(since <= began, "packets are missing since", began, "and the gap begins", since)
        expect(since > began - FOLD_S - 1 and to > began + FOLD_S - 2, "the gap is from",
               since - began, "to", to - began, "s after the first packet")
        return f"{missing} packets lost, the gap begins {began - since:.1f} s before the first"


def tests():
    yield "layout-at-rest", at_rest
    yield "layout-under-load", lambda box: under_load(box, False)
    yield "layout-killed", lambda box: under_load(box, True)
    yield "carry-removed", lambda box: carry_lost(box, os.unlink)
    yield "carry-garbled", lambda box: carry_lost(box, garble)
    yield "carry-cut", lambda box: carry_lost(box, truncate)
    yield "carry-folded", carry_folded
