# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is in the repository is finished, speaks of demarc alone, and knows no machine but the user's."""
import re

LAW = "nothing is left for later, no path of a developer's machine, no unsafe C call"

# Written apart, so that this file keeps its own law.
WORDS = [re.compile(pattern) for pattern in (
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b",
    r"/(work|root|home/[a-z]+)/(main|shared|demarc)\b",
)]
CALLS = re.compile(r"(?<![\w.>])(strcat|sprintf|vsprintf|gets|strtok|system|popen|alloca|"
                   r"mktemp|tmpnam)\s*\(")
CALL_EXEMPT = "tests/"


def breaches(tree):
    found = []
    for name in tree.files(".c", ".h", ".def", ".mk", ".py", ".sh", ".md", ".json", "Makefile"):
        for number, line in enumerate(tree.lines(name), 1):
            for word in WORDS:
                match = word.search(line)
                if match:
                    found.append(f"{name}:{number}: {match[0]}")
            match = name.endswith((".c", ".h")) and not name.startswith(CALL_EXEMPT) and \
                CALLS.search(line)
            if match and not line.lstrip().startswith(("*", "/*")):
                found.append(f"{name}:{number}: {match[1]}() is not used here")
    return found


PLANTED = {
    "userspace/rule/later.c": "/* TO" "DO: match more */\n",
    "userspace/rule/path.c": 'const char *p = "/wor' 'k/main/x";\n',
    "userspace/rule/copies.c": "\tstrcat(a, b);\n",
}
SOUND = {"userspace/rule/bounded.c": "\tsnprintf(a, sizeof(a), b); // todos of the user\n"}
