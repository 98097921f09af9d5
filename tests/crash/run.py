#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - the crash suite: whatever becomes of the agent, what the kernel counted is told once.

    tests/crash/run.py [--build DIR] [--full] [NAME...]

Root, a cgroup v2 tree, BPF and nftables are needed. NAME (a shell pattern) picks cases.
KEEP=1 leaves the journals and logs in the sandbox's directory.
"""
import argparse
import fnmatch
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
import harness  # noqa: E402
import run as live  # noqa: E402
sys.path.insert(0, HERE)
import box as sandbox  # noqa: E402
import cases  # noqa: E402
import layouts  # noqa: E402
import overload  # noqa: E402
import tables  # noqa: E402

MODULES = (cases, layouts, overload, tables)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--in-lab", action="store_true", help="software emulation: less, slower")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and clean up on the way
    harness.MARK = sandbox.MARK
    harness.PATIENCE = float(os.environ.get("SLOW", "1"))
    tally = live.Tally("crash", os.environ.get("RESULTS", "build/results"))
    try:
        box = sandbox.Box(options.build, options.full, options.in_lab)
    except (harness.Failure, OSError) as error:
        tally.failed += 1
        print(f"not ok crash: sandbox: {error}")
        tally.write()
        return 1
    try:
        for module in MODULES:
            for name, test in module.tests():
                if not options.names or any(fnmatch.fnmatch(name, p) for p in options.names):
                    tally.judge(name, test, box)
    finally:
        box.close()
    tally.write()
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
