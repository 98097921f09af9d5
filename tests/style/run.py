#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""run - check every law of style, and that each law would bite.

    tests/style/run.py [BUILD]

BUILD holds the objects for the law of purity. Each law is tried on planted files
first: all that break it must be found, and those that keep it left alone.
"""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import kinds  # noqa: E402
import law  # noqa: E402
import layering  # noqa: E402
import licence  # noqa: E402
import manuals  # noqa: E402
import names  # noqa: E402
import purity  # noqa: E402
import sizes  # noqa: E402
import words  # noqa: E402

LAWS = (layering, purity, sizes, names, licence, kinds, words, manuals)


def plant(files):
    folder = tempfile.TemporaryDirectory()
    for name, text in files.items():
        path = os.path.join(folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
    return folder


def bites(module):
    """What is wrong with the law itself; None when it finds what was planted, and only that."""
    with plant(module.PLANTED) as folder:
        found = {line.split(":")[0] for line in module.breaches(law.Tree(folder))}
    missed = set(module.PLANTED) - found
    if missed:
        return f"does not see what was planted in {', '.join(sorted(missed))}"
    with plant(module.SOUND) as folder:
        wrong = module.breaches(law.Tree(folder))
    return f"sees a breach where there is none: {wrong}" if wrong else None


def main():
    tree = law.Tree(ROOT, os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else
                    os.path.join(ROOT, "build"))
    passed = failed = 0
    for module in LAWS:
        name = module.__name__
        flaw, found = bites(module), module.breaches(tree)
        for good, what in ((flaw is None, f"{name} bites" if flaw is None else f"{name}: {flaw}"),
                           (not found, f"{name}: {module.LAW}")):
            print(f"{'ok' if good else 'not ok'} style: {what}")
            passed, failed = passed + good, failed + (not good)
        for line in found[:40]:
            print(f"  {line}")
    results = os.environ.get("RESULTS", os.path.join(ROOT, "build", "results"))
    os.makedirs(results, exist_ok=True)
    with open(os.path.join(results, "style"), "w") as out:
        out.write(f"{passed} {failed} 0\n")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
