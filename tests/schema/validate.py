#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""validate.py SCHEMAS EVENTS...: one line a JSON object that is wrong; exit 1 when there is one.

SCHEMAS is docs/schema. Each line of EVENTS must be valid under the schema of its
kind, which demands its OCSF class, and be the canonical form (RFC 8785) of
itself. The last line is "N good, N bad".
"""
import glob
import json
import os
import sys

import jsonschema


def load(folder):
    """Validators by the name of the kind."""
    schemas = {}
    for path in glob.glob(os.path.join(folder, "*.json")) + \
            glob.glob(os.path.join(folder, "*", "*.schema.json")):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        schemas[schema["$id"]] = schema
    validator = jsonschema.Draft202012Validator
    return {os.path.basename(key)[:-len(".json")]: validator(
        schema, format_checker=validator.FORMAT_CHECKER,
        resolver=jsonschema.RefResolver(key, schema, store=schemas))
            for key, schema in schemas.items() if key.endswith(".json")}


def kind_of(message):
    """An entry says its type, any other message its schema."""
    if "schema" in message:
        return message["schema"].split(".")[1]
    return message.get("metadata", {}).get("type")


def faults(schemas, line):
    message = json.loads(line)
    # ASCII keys and integers only, so code-unit order is code-point order.
    canonical = json.dumps(message, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if canonical != line:
        yield "not canonical"
    schema = schemas.get(kind_of(message))
    if not schema:
        yield f"no schema for the kind {kind_of(message)}"
        return
    for error in schema.iter_errors(message):
        yield "/".join(map(str, error.path)) + ": " + error.message[:200]


def main():
    schemas = load(sys.argv[1])
    good = bad = 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                wrong = list(faults(schemas, line.rstrip("\n")))
                for fault in wrong:
                    print(f"{path}:{number}: {fault}")
                good += not wrong
                bad += bool(wrong)
    print(good, "good,", bad, "bad")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
