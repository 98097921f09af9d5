#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - the evasion suite: ways round the monitor, and what must be seen of each.

    tests/evasion/run.py [--build DIR] [--update] [NAME...]

The truth table in docs/coverage.md must say what was measured on this kernel; --update, or
UPDATE=1, writes it. Root, a cgroup v2 tree and BPF are needed. NAME (a shell pattern) picks cases.
"""
import argparse
import fnmatch
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
import harness  # noqa: E402
import run as live  # noqa: E402
sys.path.insert(0, HERE)
import cases  # noqa: E402
import monitor  # noqa: E402
import story  # noqa: E402
import table  # noqa: E402

DOCUMENT = os.path.join(HERE, "..", "..", "docs", "coverage.md")


def kernel():
    return ".".join(os.uname().release.split(".")[:2])


def in_step(box):
    """The table in the manual says what was seen here."""
    found = table.differences(DOCUMENT, kernel(), box.cells)
    harness.expect(not found, "docs/coverage.md is out of step (UPDATE=1 writes it):", "; ".join(found))
    return kernel()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--update", action="store_true", default=bool(os.environ.get("UPDATE")))
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()

    def wanted(name):
        return not options.names or any(fnmatch.fnmatch(name, p) for p in options.names)

    harness.MARK = "demarc-evasion-"
    harness.PATIENCE = float(os.environ.get("SLOW", "1"))
    tally = live.Tally("evasion", os.environ.get("RESULTS", "build/results"))
    try:
        box = harness.Sandbox(options.build)
        box.evade = os.path.abspath(os.path.join(options.build, "evasion", "evade"))
        box.cells, box.story = {}, story.Story(box, wanted)
    except (harness.Failure, OSError) as error:
        tally.failed += 1
        print(f"not ok evasion: sandbox: {error}")
        tally.write()
        return 1
    try:
        for name, test in (*story.tests(wanted), *monitor.tests(wanted)):
            tally.judge(name, test, box)
        for name, letters in box.cells.items():
            print(f"# cell {kernel()} {name} {letters}")
        if options.update:
            table.write(DOCUMENT, cases.names(), kernel(), box.cells)
        else:
            tally.judge("truth-table", in_step, box)
    finally:
        box.close()
    tally.write()
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
