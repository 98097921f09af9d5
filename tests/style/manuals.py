# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The manuals' tables and examples are what the program says, and stay so.

The program is asked (`demarc check`, `demarc fields`); a planted tree has its
answers in said/check.txt and said/fields.json.
"""
import json
import os
import re
import subprocess
import tempfile

LAW = "docs/operator.md has every setting, docs/events.md no field and no example that is not so"

SETTING = re.compile(r"^([a-z_.]+) += ?(.*?) *# default\n +(.*)$", re.M)
SETTING_ROW = re.compile(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \|$")
FIELD_ROW = re.compile(r"^\| `([a-z_.]+)` \| `([^`]+)` \|")
EXAMPLE = re.compile(r"^<!-- (tests/replay/\S+):(\d+) -->\n```json\n(.*?)^```", re.M | re.S)


def ask(tree, answer, *arguments):
    """What the program says, or the planted answer; None where there is neither."""
    if answer in tree.names:
        return tree.text(answer)
    program = os.path.join(tree.build or "", "demarc")
    if not tree.build or not os.path.exists(program):
        return None
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "demarc.json")
        with open(config, "w") as out:
            out.write("{}")
        if arguments[0] == "check":
            arguments += ("-c", config)
        return subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True,
                              env={}, check=False).stdout


def wrong_settings(tree, name):
    said = ask(tree, "said/check.txt", "check", "--all", "--meaning")
    if said is None:
        return
    settings = {key: (f"`{value}`" if value else "", meaning)
                for key, value, meaning in SETTING.findall(said)}
    seen = set()
    for number, line in enumerate(tree.lines(name), 1):
        row = SETTING_ROW.match(line)
        if not row:
            continue
        seen.add(row[1])
        if settings.get(row[1]) != (row[2], row[3]):
            yield f"{name}:{number}: {row[1]}: the program says {settings.get(row[1])}"
    for key in settings:
        if key not in seen:
            yield f"{name}:1: no row for the setting {key}"


def wrong_fields(tree, name):
    said = ask(tree, "said/fields.json", "fields", "--json")
    if said is None:
        return
    kinds = {kind["kind"]: {field["name"]: field["ocsf"] for field in kind["fields"]}
             for kind in json.loads(said)}
    under, headings = [], set()
    for number, line in enumerate(tree.lines(name), 1):
        if line.startswith("## "):
            named = [kind for kind in kinds if re.search(rf"\b{kind}\b", line)]
            headings.update(named)
            under = named or list(kinds)
        row = FIELD_ROW.match(line)
        for kind in under if row else ():
            if kinds[kind].get(row[1]) != row[2]:
                yield f"{name}:{number}: {row[1]} of {kind}: {kinds[kind].get(row[1])}"
    for kind in set(kinds) - headings:
        yield f"{name}:1: no heading for the kind {kind}"


def wrong_examples(tree, name):
    for match in EXAMPLE.finditer(tree.text(name)):
        number = tree.text(name)[:match.start()].count("\n") + 1
        lines = tree.lines(match[1]) if match[1] in tree.names else []
        if int(match[2]) > len(lines):
            yield f"{name}:{number}: no {match[1]}:{match[2]}"
            continue
        entry = json.loads(lines[int(match[2]) - 1])
        for key, value in json.loads(match[3]).items():
            if entry.get(key) != value:
                yield f"{name}:{number}: {key} is not as in {match[1]}:{match[2]}"


def breaches(tree):
    found = []
    if "docs/operator.md" in tree.names:
        found += wrong_settings(tree, "docs/operator.md")
    if "docs/events.md" in tree.names:
        found += wrong_fields(tree, "docs/events.md")
        found += wrong_examples(tree, "docs/events.md")
    return found


_SAID = {
    "said/check.txt": "log.level                = info        # default\n"
                      "                           error or info\n",
    "said/fields.json": '[{"kind": "flow", "fields": [{"name": "role", "ocsf": "data.role"}]}]',
}
_ENTRY = {"tests/replay/one/expected.jsonl": '{"a":1,"b":2}\n'}


class _Planted(dict):
    """All files are planted; only the manuals break the law."""

    def __iter__(self):
        return (name for name in self.keys() if name.startswith("docs/"))


PLANTED = _Planted({
    **_SAID, **_ENTRY,
    "docs/operator.md": "| `log.level` | `warn` | error or info |\n",
    "docs/events.md": "## flow\n| `rule` | `data.role` |\n",
})
SOUND = {
    **_SAID, **_ENTRY,
    "docs/operator.md": "| `log.level` | `info` | error or info |\n",
    "docs/events.md": "## flow\n| `role` | `data.role` | which |\n"
                      "<!-- tests/replay/one/expected.jsonl:1 -->\n```json\n{\n\"b\": 2\n}\n```\n",
}
