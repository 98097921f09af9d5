# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""rates - how much goes through without loss: ring records, journal entries, the pipeline alone."""
import glob
import json
import os
import shutil
import subprocess

from agent import Agent
from sandbox import AWAY_HOLE, HOME_HOLE, TOP

SECONDS = 2
# Datagrams a second: a flow and its record each.
STEPS = (20000, 40000, 60000, 80000, 100000, 150000, 200000, 250000, 300000, 400000)
SENDERS = 2
PLACES, MANY = 1000, 1 << 40
TABLE = "flows.table_entries=2097152"  # nothing ends within the test, and nothing is to overflow
REACHED = 0.9  # of a step's rate, or the load generator is what ends
RECORDING = 500000


def lost_in(status):
    return sum(kind["dropped"] for kind in status["counters"].values()) + status["pipeline"]["shed"]


def flood(box, address, rate, places):
    """(datagrams, seconds) of all senders, which run at once, each on ports of its own."""
    children = [box.start(box.app, True, "flood", address, 7000 + 10000 * i, rate // SENDERS, SECONDS,
                          places, stdout=subprocess.PIPE, text=True) for i in range(SENDERS)]
    told = [child.communicate()[0].split() for child in children]
    for child in children:
        box.end(child)
    return sum(int(sent) for sent, _ in told), max(float(seconds) for _, seconds in told)


def step(box, address, rate, places):
    with Agent(box, settings=(TABLE,)) as agent:
        before = agent.settle()
        sent, seconds = flood(box, address, rate, places)
        after = agent.settle(60)
    return {"sent_per_s": sent / seconds,
            "records_per_s": (after["counters"]["flow"]["issued"]
                              - before["counters"]["flow"]["issued"]) / seconds,
            "entries_per_s": (after["pipeline"]["entries"] - before["pipeline"]["entries"]) / seconds,
            "lost": lost_in(after), "limit": sent / seconds < rate * REACHED}


def climb(box, address, places):
    """The highest step without loss; why it ended there."""
    best, ended = None, "the last step"
    for rate in STEPS:
        now = step(box, address, rate, places)
        print(f"# {rate} datagrams/s: {now['records_per_s']:.0f} records/s, "
              f"{now['entries_per_s']:.0f} entries/s, lost {now['lost']}", flush=True)
        if now["lost"]:
            ended = f"{now['lost']} lost at {now['records_per_s']:,.0f} records/s"
            break
        if not best or now["records_per_s"] > best["records_per_s"]:
            best = now
        if now["limit"]:
            ended = "the load generator could do no more"
            break
    return {"best": best, "ended": ended}


def lossless(box):
    """Records: flows to the same allowed places, summed. Entries: each to a place of its own, forbidden."""
    return {"records": climb(box, HOME_HOLE, PLACES), "entries": climb(box, AWAY_HOLE, MANY)}


def pipeline(box):
    """Each stage over a recording, and the whole, on one processor."""
    state = os.path.join(box.work, "stages")
    os.makedirs(state, exist_ok=True)
    legal = ",".join(sorted(glob.glob(os.path.join(TOP, "rules", "legal", "*.json"))))
    done = subprocess.run(
        [os.path.join(box.build, "bench", "stages"), os.path.join(box.work, "recording"),
         str(RECORDING), state, os.path.join(box.work, "empty.json"),
         f"rules={TOP}/rules/eu-residency.json", f"place.legal={legal}", "pins=",
         f"place.overrides={box.work}/places.csv", "place.as_public=reserved",
         "log.level=error"], stdout=subprocess.PIPE, text=True, check=True)
    shutil.rmtree(state)
    return json.loads(done.stdout)
