#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""guard - figures that repeat, against those that were stored: nothing grows unnoticed.

    guard.py BUILD [--update REASON]

Figures, all of the lab's 6.1 kernel: instructions that the verifier looked at and bytes
of translated code, for each program; guest instructions that the agent adds to an
operation. Growth above 5 % fails until a new baseline is stored with a reason.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BASELINE = os.path.join(HERE, "baseline.json")
MEASURED = os.path.join("bench", "guard.json")
GROWTH = 0.05


def first_line(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown"


def spread(values):
    return max(values) - min(values)


def figures_of(guest):
    """{name: value} and, for what does not repeat exactly, {name: noise}."""
    figures, noise = {}, {}
    for name, (verified, translated) in sorted(guest["programs"].items()):
        figures[f"verified {name}"] = verified
        figures[f"translated {name}"] = translated
    for name in guest["off"][0]:
        off, on = ([row[name] for row in guest[state]] for state in ("off", "on"))
        figures[f"added {name}"] = statistics.median(on) - statistics.median(off)
        figures[f"base {name}"] = statistics.median(off)
        noise[f"added {name}"] = spread(off) + spread(on)
    return figures, noise


def measure(build):
    """Boots the guest; needs no root."""
    done = subprocess.run([os.path.join(HERE, "boot.sh"), build], stdout=subprocess.PIPE, cwd=TOP,
                          text=True, check=False)
    if done.returncode:
        sys.exit("bench: the guest could not be measured")
    guest = json.loads(done.stdout)
    figures, noise = figures_of(guest)
    found = {"kernel": guest["kernel"], "clang": first_line("clang", "--version"),
             "qemu": first_line("qemu-system-x86_64", "--version"), "figures": figures,
             "noise": noise, "profile": guest["profile"]}
    with open(os.path.join(TOP, build, MEASURED), "w") as out:
        json.dump(found, out, indent=1)
    return found


def allowed(name, value, noises):
    """The most that a figure may be: what does not repeat exactly has its noise added."""
    return value + GROWTH * abs(value) + max(noise.get(name, 0) for noise in noises)


def compare(baseline, found):
    """(lines about what grew and is new: these fail, lines about what shrank or went)."""
    bad, good = [], []
    old, noises = baseline["figures"], (baseline["noise"], found["noise"])
    for name, value in found["figures"].items():
        if name.startswith("base "):
            continue
        was = old.get(name)
        if was is None:
            bad.append(f"{name}: {value:g}, and no baseline")
        elif value > allowed(name, was, noises):
            share = f" ({(value - was) / was:+.1%})" if was > 0 else ""
            bad.append(f"{name}: {was:g} -> {value:g}{share}")
        elif was > allowed(name, value, noises):
            good.append(f"{name}: shrank, {was:g} -> {value:g}; a new baseline would keep that")
    good += [f"{name}: gone" for name in old if name not in found["figures"]]
    return bad, good


def store(found, reason, path=BASELINE):
    """The latest reason is last; those before it stay."""
    history = []
    if os.path.exists(path):
        with open(path) as stored:
            history = json.load(stored)["history"]
    history.append({"stored": time.strftime("%Y-%m-%d"), "reason": reason})
    kept = {name: value for name, value in found.items() if name != "profile"}
    with open(path, "w") as out:
        json.dump({"history": history, **kept}, out, indent=1)
        out.write("\n")


def report(baseline, found):
    bad, good = compare(baseline, found)
    for what in ("kernel", "clang", "qemu"):
        if baseline[what] != found[what]:
            print(f"note: the baseline is of {what} {baseline[what]}, this is {found[what]}")
    for line in good:
        print(f"ok bench-check: {line}")
    for line in bad:
        print(f"not ok bench-check: {line}")
    held = sum(not name.startswith("base ") for name in found["figures"]) - len(bad)
    print(f"bench-check: {held} figures hold, {len(bad)} do not")
    if bad:
        print("bench-check: make it smaller, or: make bench-check UPDATE=1 REASON='why it must be so'")
    return 1 if bad else 0


def print_profile(programs):
    """Where they go; what is added beyond the programs is the kernel's way to them."""
    for program, (runs, instructions) in sorted(programs.items(), key=lambda row: -row[1][1]):
        if instructions >= 1:
            print(f"    {program:15} {instructions:8.0f} in {runs:.2f} runs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--update", metavar="REASON")
    options = parser.parse_args()
    if options.update is not None and len(options.update.split()) < 3:
        print("bench-check: a new baseline needs a reason of three words or more (REASON=...)")
        return 64
    found = measure(options.build)
    for name, value in found["figures"].items():
        if name.startswith("added "):
            print(f"{name:15} {value:+8.0f} guest instructions, on "
                  f"{found['figures']['base ' + name[6:]]:.0f} (noise {found['noise'][name]:.0f})")
            print_profile(found["profile"][name[6:]])
    if options.update is not None:
        store(found, options.update.strip())
        print(f"bench-check: stored {len(found['figures'])} figures of {found['kernel']}")
        return 0
    if not os.path.exists(BASELINE):
        print("bench-check: no baseline yet: make bench-check UPDATE=1 REASON=...")
        return 1
    with open(BASELINE) as stored:
        return report(json.load(stored), found)


if __name__ == "__main__":
    sys.exit(main())
