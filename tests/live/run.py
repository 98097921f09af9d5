#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - the live tests: send, and expect what demarc says to be what arrived.

    tests/live/run.py [--build DIR] [--storm N] [--in-lab] [NAME...]

Root, a cgroup v2 tree and BPF are needed. NAME (a shell pattern) picks tests.
KEEP=1 leaves the agent's files in the sandbox's directory.
"""
import argparse
import fnmatch
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import test_carry  # noqa: E402
import test_coverage  # noqa: E402
import test_exec_away  # noqa: E402
import test_faults  # noqa: E402
import test_generators  # noqa: E402
import test_lifecycle  # noqa: E402
import test_pids  # noqa: E402
import test_pins  # noqa: E402
import test_privacy  # noqa: E402
import test_storm  # noqa: E402
import test_taken  # noqa: E402
import test_transports  # noqa: E402

MODULES = (test_generators, test_coverage, test_transports, test_storm, test_privacy, test_lifecycle,
           test_carry, test_pins, test_taken, test_exec_away, test_faults,
           test_pids)


class Tally:
    def __init__(self, suite, folder):
        self.suite, self.folder = suite, folder
        self.passed = self.failed = 0
        self.skips = []

    def write(self):
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, self.suite)
        with open(path, "w") as out:
            out.write(f"{self.passed} {self.failed} {len(self.skips)}\n")
        with open(path + ".skipped", "w") as out:
            out.writelines(f"{name}\t{why}\n" for name, why in self.skips)
        print(f"{self.passed} passed, {self.failed} failed, {len(self.skips)} skipped")

    def judge(self, name, test, box):
        began = time.monotonic()
        try:
            note = test(box)
        except harness.Skipped as why:
            self.skips.append((name, str(why)))
            print(f"skip {self.suite}: {name}: {why}", flush=True)
        except Exception as error:  # whatever a test meets is its failure, not the suite's end
            self.failed += 1
            if not isinstance(error, harness.Failure):
                traceback.print_exc()
            print(f"not ok {self.suite}: {name}: {error}", flush=True)
        else:
            self.passed += 1
            seconds = time.monotonic() - began
            print(f"ok {self.suite}: {name}" + (f": {note}" if note else "") +
                  (f" ({seconds:.1f} s)" if seconds > 1 else ""), flush=True)
        finally:
            box.release()


def chosen(patterns):
    for module in MODULES:
        tests = [(name, test) for name, test in module.tests()
                 if not patterns or any(fnmatch.fnmatch(name, p) for p in patterns)]
        yield module, tests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--storm", type=int, default=100000, help="connections of the storm")
    parser.add_argument("--in-lab", action="store_true", help="software emulation: less, slower")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tally = Tally("live", os.environ.get("RESULTS", "build/results"))
    harness.PATIENCE = float(os.environ.get("SLOW", "1"))
    try:
        box = harness.Sandbox(options.build)
    except (harness.Failure, OSError) as error:
        tally.failed += 1
        print(f"not ok live: sandbox: {error}")
        tally.write()
        return 1
    box.storm = options.storm if not options.in_lab else min(options.storm, 3000)
    try:
        for module, tests in chosen(options.names):
            for name, test in tests:
                tally.judge(name, test, box)
            if hasattr(module, "finish"):
                module.finish(box)
    finally:
        box.close()
    tally.write()
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
