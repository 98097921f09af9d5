#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - the Kafka suite: a real broker, real packets, consumers that are not ours.

    tests/kafka/run.py [--build DIR] [--full] [NAME...]

Root, a cgroup v2 tree, BPF, the jars of build/kafka and kcat are needed. NAME (a shell pattern)
picks cases; without one, those that need long or more than a broker run only with --full. KEEP=1 leaves the journals and logs in the sandbox's directory.
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
import stand  # noqa: E402
import test_delivery  # noqa: E402
import test_disk  # noqa: E402
import test_outages  # noqa: E402
import test_place  # noqa: E402
import test_rates  # noqa: E402
import test_reading  # noqa: E402
import test_security  # noqa: E402

MODULES = (test_delivery, test_reading, test_security, test_place, test_rates, test_disk, test_outages)

FULL_ONLY = ("leader moved", "certificate rotation", "disk read-only")


# A module of the live tests with the same name would be taken for ours, and its tests for all.
for each in MODULES:
    if os.path.dirname(os.path.abspath(each.__file__)) != HERE:
        raise ImportError(f"{each.__name__} is {each.__file__}")


def is_chosen(name, options):
    if options.names:
        return any(fnmatch.fnmatch(name, pattern) for pattern in options.names)
    return options.full or name not in FULL_ONLY


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and clean up on the way
    harness.MARK = "demarc-kafka-"
    harness.PATIENCE = float(os.environ.get("SLOW", "1"))
    tally = live.Tally("kafka", os.environ.get("RESULTS", "build/results"))
    try:
        box = stand.Stand(options.build, options.full)
    except (harness.Failure, OSError, RuntimeError) as error:
        tally.failed += 1
        print(f"not ok kafka: stand: {error}")
        tally.write()
        return 1
    try:
        for module in MODULES:
            for name, test in module.tests():
                if is_chosen(name, options):
                    tally.judge(name, test, box)
    finally:
        box.close()
    tally.write()
    return 1 if tally.failed else 0


if __name__ == "__main__":
    # `run` is the live tests' module by now.
    sys.exit(main())
