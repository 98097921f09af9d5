# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""rates - how much goes through without loss: ring records, journal entries, the pipeline alone."""
import glob
import json
import os
import shutil
import subprocess

from agent import Agent
from sandbox import AWAY, HOME, TOP

SECONDS = 2
# Sockets a second; each sends a datagram to a new place and closes: two records, or more.
STEPS = (5000, 10000, 20000, 30000, 40000, 50000, 60000, 80000, 100000, 125000, 150000, 200000)
REACHED = 0.9  # of a step's rate, or the load generator is what ends
RECORDING = 500000


def lost_in(status):
    return sum(kind["dropped"] for kind in status["counters"].values()) + status["pipeline"]["shed"]


def step(box, address, rate):
    with Agent(box) as agent:
        before = agent.settle()
        sent, seconds = (float(word) for word in box.load("flood", address, 7000, rate, SECONDS))
        after = agent.settle(60)
    return {"sent_per_s": sent / seconds,
            "records_per_s": (after["counters"]["flow"]["issued"]
                              - before["counters"]["flow"]["issued"]) / seconds,
            "entries_per_s": (after["pipeline"]["entries"] - before["pipeline"]["entries"]) / seconds,
            "lost": lost_in(after), "limit": sent / seconds < rate * REACHED}


def climb(box, address):
    """The highest step without loss; why it ended there."""
    best, ended = None, "the last step"
    for rate in STEPS:
        now = step(box, address, rate)
        print(f"# {rate} sockets/s: {now['records_per_s']:.0f} records/s, "
              f"{now['entries_per_s']:.0f} entries/s, lost {now['lost']}", flush=True)
        if now["lost"]:
            ended = f"lost {now['lost']} at {now['records_per_s']:.0f} records/s"
            break
        best = now
        if now["limit"]:
            ended = "the load generator could do no more"
            break
    return {"best": best, "ended": ended}


def lossless(box):
    """Records alone: allowed places, folded. Entries: violations, each in the journal."""
    return {"records": climb(box, HOME), "entries": climb(box, AWAY)}


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
