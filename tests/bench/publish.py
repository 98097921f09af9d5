#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""publish - write the last results into README.md and docs/performance.md, between their marks.

    publish.py BUILD
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import targets  # noqa: E402

TOP = os.path.dirname(os.path.dirname(HERE))
END = "<!-- bench: end -->\n"


def replace(text, name, fresh):
    mark = f"<!-- bench: {name} -->\n"
    before, found, rest = text.partition(mark)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"no {mark.strip()} ... {END.strip()} in it")
    return before + mark + fresh + END + after


def main():
    with open(os.path.join(sys.argv[1], "bench", "results.json")) as found:
        results = json.load(found)
    for name, mark, text in (("README.md", "targets", targets.readme(results)),
                             ("docs/performance.md", "results", targets.markdown(results))):
        path = os.path.join(TOP, name)
        with open(path) as old:
            fresh = replace(old.read(), mark, text)
        with open(path, "w") as out:
            out.write(fresh)
        print(f"bench: wrote {name}")


if __name__ == "__main__":
    main()
