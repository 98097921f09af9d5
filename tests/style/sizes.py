# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Small enough to be read at once."""
LAW = "no function is longer than 60 lines, no file than 500"

FUNCTION_LINES, FILE_LINES = 60, 500
CODE = ("include/", "userspace/", "bpf/", "tests/")


def functions(lines):
    """(first line, length): a brace at the line's start opens, one alone at its start closes."""
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{" and opened is None:
            opened = number
        elif line.startswith("}") and opened is not None:
            yield opened, number - opened - 1
            opened = None


def breaches(tree):
    found = []
    for name in tree.files(".c", ".h", ".py", ".sh", under=CODE):
        lines = tree.lines(name)
        if len(lines) - 1 > FILE_LINES:
            found.append(f"{name}:{FILE_LINES + 1}: the file has {len(lines) - 1} lines")
        if name.endswith((".c", ".h")):
            found += [f"{name}:{first}: a function of {length} lines"
                      for first, length in functions(lines) if length > FUNCTION_LINES]
    return found


PLANTED = {
    "userspace/rule/long.c": "int\nf(void)\n{\n" + "\tg();\n" * 61 + "}\n",
    "userspace/rule/big.c": "/* line */\n" * 501,
}
SOUND = {"userspace/rule/short.c": "int\nf(void)\n{\n" + "\tg();\n" * 60 + "}\n"}
