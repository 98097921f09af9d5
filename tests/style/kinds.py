# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Adding a kind of event ends with a recording that anybody can read and replay."""
import re

LAW = "every kind of wire.h has a file in userspace/event and a case in tests/replay"

ROW = re.compile(r"^\s*X\(\s*\d+,\s*[A-Z_]+,\s*([a-z_]+),", re.M)


def breaches(tree):
    if "include/wire.h" not in tree.names:
        return []
    found = []
    cases = [(name, tree.text(name)) for name in tree.files(".txt", ".jsonl", under=("tests/replay/",))]
    for kind in ROW.findall(tree.text("include/wire.h")):
        if f"userspace/event/{kind}.c" not in tree.names:
            found.append(f"include/wire.h:1: no userspace/event/{kind}.c for kind {kind}")
        mentions = re.compile(rf"^[0-9.]+\s+{kind}\b", re.M)
        if not any(name.endswith(".txt") and mentions.search(text) for name, text in cases):
            found.append(f"include/wire.h:1: no record of kind {kind} in tests/replay/*/records.txt")
    return found


PLANTED = {"include/wire.h": '\tX(1, FLOW, flow, "traffic")\n'}
SOUND = {
    "include/wire.h": '\tX(1, FLOW, flow, "traffic")\n',
    "userspace/event/flow.c": "",
    "tests/replay/one/records.txt": "# one\n1.5 flow open dst=192.0.2.1 proto=tcp\n",
}
