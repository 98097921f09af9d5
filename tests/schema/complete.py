#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""complete.py BUILD ROOT SCHEMAS: does every kind of message that the code writes have a schema and
a sample, and does every reason have one? One line for each that lacks; exit 1 when there is one.
"""
import glob
import json
import os
import re
import subprocess
import sys


def kinds(root):
    """Of entries, by the tables of userspace/event; of other messages, by the schema they name."""
    found = set()
    for path in glob.glob(os.path.join(root, "userspace", "event", "*.c")):
        with open(path, encoding="utf-8") as file:
            found |= set(re.findall(r"^const struct event_type event_(\w+) = ", file.read(), re.M))
    for path in glob.glob(os.path.join(root, "userspace", "*", "*.c")):
        with open(path, encoding="utf-8") as file:
            found |= set(re.findall(r"schema[\\\", :]+demarc\.(\w+)\.v1", file.read()))
    return found


def reasons(build):
    """Kind and word, as `demarc fields` lists the values of the field reason."""
    said = subprocess.run([os.path.join(build, "demarc"), "fields", "--json"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return {(kind["kind"], word) for kind in json.loads(said) for field in kind["fields"]
            if field["name"] == "reason" for word in re.split(", | or ", field["doc"])}


def kind_of(path):
    with open(path, encoding="utf-8") as file:
        message = json.load(file)
    return message["schema"].split(".")[1] if "schema" in message else message["metadata"]["type"]


def lacks(build, root, schemas):
    samples = {os.path.basename(path): kind_of(path)
               for path in glob.glob(os.path.join(schemas, "samples", "*.json"))}
    for kind in sorted(kinds(root)):
        if not os.path.exists(os.path.join(schemas, f"{kind}.json")):
            yield f"no schema {kind}.json"
        if kind not in samples.values():
            yield f"no sample {kind}.*.json"
    for kind, word in sorted(reasons(build)):
        if f"{kind}.{word}.json" not in samples:
            yield f"no sample {kind}.{word}.json"
    for name, kind in sorted(samples.items()):
        if not name.startswith(kind + "."):
            yield f"the sample {name} is of the kind {kind}"


def main():
    lacking = list(lacks(*sys.argv[1:]))
    print("\n".join(lacking) if lacking else
          f"{len(kinds(sys.argv[2]))} kinds, {len(reasons(sys.argv[1]))} reasons")
    return 1 if lacking else 0


sys.exit(main())
