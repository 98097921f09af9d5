# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Whoever takes one file knows on what terms."""
LAW = "every source begins with its SPDX line, and with one sentence on its job"

LICENCE = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
TOP = 3  # a script's first line is its interpreter's


def breaches(tree):
    found = []
    for name in tree.files(".c", ".h", ".def", ".sh", ".py"):
        lines = tree.lines(name)
        if not any(LICENCE in line for line in lines[:TOP]):
            found.append(f"{name}:1: no SPDX line")
        elif not any(len(line.strip("/*# \"\t")) > 10 and LICENCE not in line
                     for line in lines[1:8]):
            found.append(f"{name}:2: no word on what the file is for")
    return found


PLANTED = {
    "userspace/rule/bare.c": "int x;\n",
    "userspace/rule/mute.c": f"/* {LICENCE} */\nint x;\n",
    "tests/bare.sh": "#!/bin/sh\ntrue\n",
}
SOUND = {"userspace/rule/said.c": f"/* {LICENCE} */\n/* said.c - says what it is for. */\nint x;\n"}
