#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""validate.py SCHEMAS EVENTS: one line a JSON object that is wrong; exit 1 when there is one.

Each line of EVENTS must be valid under the schema of its class, and be the
canonical form (RFC 8785) of itself. The last line is "N good, N bad".
"""
import glob
import json
import os
import sys

import jsonschema


def load(folder):
    validator = jsonschema.Draft202012Validator
    schemas = {}
    for path in glob.glob(os.path.join(folder, "*.schema.json")):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        uid = int(os.path.basename(path).split("_")[0])
        schemas[uid] = validator(schema, format_checker=validator.FORMAT_CHECKER)
    return schemas


def faults(schemas, line):
    event = json.loads(line)
    # ASCII keys and integers only, so code-unit order is code-point order.
    canonical = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if canonical != line:
        yield "not canonical"
    schema = schemas.get(event.get("class_uid"))
    if not schema:
        yield f"no schema for class_uid {event.get('class_uid')}"
        return
    for error in schema.iter_errors(event):
        yield "/".join(map(str, error.path)) + ": " + error.message[:200]


def main():
    schemas = load(sys.argv[1])
    good = bad = 0
    with open(sys.argv[2], encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, 1):
            wrong = list(faults(schemas, line.rstrip("\n")))
            for fault in wrong:
                print(f"{sys.argv[2]}:{number}: {fault}")
            good += not wrong
            bad += bool(wrong)
    print(good, "good,", bad, "bad")
    return 1 if bad or not good else 0


sys.exit(main())
