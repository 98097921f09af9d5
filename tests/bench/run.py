#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - what demarc costs: every load and every target, against nothing and against peers.

    run.py BUILD [--rounds N] [--seconds S] [--only PART,...]

Writes BUILD/bench/results.json and results.md. Speed never fails; a measurement that
this machine could have taken, and that was not, does. Root and BPF are needed.
With --only the other parts stay what the last run found.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cost  # noqa: E402
import footprint  # noqa: E402
import guard  # noqa: E402
import peers  # noqa: E402
import rates  # noqa: E402
import targets  # noqa: E402
from sandbox import Missing, Sandbox, TOP  # noqa: E402


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    with open("/proc/meminfo") as info:
        gib = int(re.search(r"MemTotal:\s+(\d+)", info.read())[1]) / (1 << 20)
    return f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}), {gib:.0f} GiB"


def about(options):
    done = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty", "--abbrev=12"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "kernel": os.uname().release,
            "revision": done.stdout.strip() or "unknown", "rounds": options.rounds,
            "seconds": options.seconds}


def measure_cost(box, options, results):
    runs, results["absent"] = peers.available()
    return cost.run(box, runs, options.rounds, options.seconds)


def measure_guard(box, _options, results):
    if not peers.find("qemu-system-x86_64"):
        raise Missing("no QEMU")
    return guard.measure(os.path.relpath(box.build, TOP))


PARTS = {
    "cost": measure_cost,
    "new_cpu": lambda box, *_: footprint.new_cpu(box),
    "memory": lambda box, *_: footprint.memory(box),
    "idle": lambda box, *_: footprint.idle(box),
    "start": lambda box, *_: footprint.start(box),
    "adopted": lambda box, *_: footprint.adopted(box),
    "lossless": lambda box, *_: rates.lossless(box),
    "pipeline": lambda box, *_: rates.pipeline(box),
    "guard": measure_guard,
}


def measure(options, results):
    """Names of the parts that failed."""
    failed = []
    for name in options.only:
        print(f"# {name}", flush=True)
        try:
            with Sandbox(options.build) as box:
                results[name] = PARTS[name](box, options, results)
            results.setdefault("measured", {})[name] = results["about"]["revision"]
        except Missing as why:
            print(f"skip bench: {name}: {why}")
        except Exception as error:  # the other parts can still be measured
            traceback.print_exc()
            print(f"not ok bench: {name}: {error}")
            failed.append(name)
    return failed


def write(build, results):
    folder = os.path.join(build, "bench")
    text = targets.markdown(results)
    with open(os.path.join(folder, "results.json"), "w") as out:
        json.dump(results, out, indent=1)
        out.write("\n")
    with open(os.path.join(folder, "results.md"), "w") as out:
        out.write(text)
    print(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS))
    options = parser.parse_args()
    for name in options.only:
        if name not in PARTS:
            parser.error(f"no part {name}; there are {', '.join(PARTS)}")
    path = os.path.join(options.build, "bench", "results.json")
    results = {}
    if len(options.only) < len(PARTS) and os.path.exists(path):
        with open(path) as last:
            results = json.load(last)
    results["about"] = about(options)
    failed = measure(options, results)
    write(options.build, results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
