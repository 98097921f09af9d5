# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Killed, stopped, upgraded, away: the kernel goes on counting, and the next life tells it once."""
import random
import re
import signal
import time

from box import Lives
from harness import expect
import oracle

AGAIN = 0.2  # seconds of a life that is killed while it begins


def moments(lives, count, running):
    """Random ages at which to kill: every third while the agent starts, others while it works."""
    chance = random.Random(count)
    began = time.monotonic()
    lives.start()
    born = time.monotonic() - began
    return [chance.uniform(0, born if number % 3 == 2 else born + running)
            for number in range(count)]


def judge(box, lives, loads, lossless=True):
    """At the end of all lives: everything that was sent is told, and told once."""
    reports = [load.stop() for load in loads]
    status = lives.end()
    sums = oracle.read(lives.state)
    oracle.identities(status)
    oracle.lost_in_rings(sums, status)
    oracle.suppressed(sums, status)
    oracle.conserved(sums, status)
    oracle.alerts_closed(sums)
    expect(sums.stray == 0, sums.stray, "flows are told as nobody's")
    if lossless:
        oracle.nothing_lost(sums, status)
        flows, size = oracle.exact(sums, reports, box.arrived(), status)
        if lives.each:
            oracle.in_order(sums.lives)
        return f"{lives.count} lives, {flows} flows, {size} bytes, none lost, none twice"
    return sums, status, reports


def kills(box, each):
    with Lives(box, each) as lives:
        box.serve()
        ages = moments(lives, box.size(8, 100, 3), 1.0)
        loads = box.mixed(box.size(400, 1000, 20))
        for age in ages:
            time.sleep(age)
            expect(lives.process.poll() is None, "the agent ended by itself:", lives.log()[-800:])
            lives.kill()
            lives.start(ready=False)
        lives.wait()
        time.sleep(1)
        return judge(box, lives, loads)


def stops(box):
    """Starts under 1,000 connections a second: each connection is seen."""
    with Lives(box, each=True) as lives:
        box.serve()
        chance = random.Random(50)
        lives.start()
        loads = box.mixed(box.size(1000, 1000, 50))
        for _ in range(box.size(10, 50, 3)):
            time.sleep(chance.uniform(0.05, 0.5))
            lives.stop()
            time.sleep(chance.uniform(0, 0.2))
            lives.start()
        return judge(box, lives, loads)


def upgrades(box):
    """Two builds in turn, by SIGTERM and by kill -9, some of them killed while they take over."""
    with Lives(box, each=True) as lives:
        box.serve()
        chance = random.Random(20)
        lives.start()
        loads = box.mixed(box.size(200, 400, 20))
        for number in range(box.size(6, 20, 2)):
            time.sleep(chance.uniform(0.2, 0.8))
            if number % 2:
                lives.kill()
            else:
                lives.stop()
            program = box.demarc if number % 2 else box.next
            for _ in range(number % 3):
                lives.start(program, ready=False)
                time.sleep(chance.uniform(0, AGAIN))
                lives.kill()
            lives.start(program)
        return judge(box, lives, loads)


def away(box):
    """Nobody is there for a while: the next start tells what passed, and how much that was."""
    with Lives(box, each=True) as lives:
        box.serve()
        lives.start()
        lives.stop()
        loads = box.mixed(box.size(200, 400, 20))
        time.sleep(box.size(3, 20))
        for load in loads:
            load.process.send_signal(signal.SIGSTOP)
        lives.start()
        for load in loads:
            load.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        told = judge(box, lives, loads)
        said = oracle.read(lives.state).starts[1]
        match = re.search(r"(\d+) records waited, (\d+) more had no room", said)
        expect(match and int(match[1]) > 0 and int(match[2]) == 0, "the start says:", said)
        return f"{match[0]}; {told}"


def tests():
    yield "kills-each", lambda box: kills(box, True)
    yield "kills-folded", lambda box: kills(box, False)
    yield "stops", stops
    yield "upgrades", upgrades
    yield "away", away
