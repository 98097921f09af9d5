#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""check.py RECORDS ENTRIES: do the entries' delta_bytes add up to what the flows of RECORDS sent?

Reads the records on its own, so that the product is not its own witness. Also:
sequence numbers without a gap, and a message in each entry.
"""
import json
import re
import sys


def sent(path):
    """(bytes, packets) of all flows, by the last line of each."""
    flows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"\S+ +flow +(.*)", line)
            if not match or line.startswith("#"):
                continue
            words = match[1].split()
            keys = dict(word.split("=", 1) for word in words if "=" in word)
            flow = keys.get("cookie") or (keys["src"], keys["dst"])
            if "open" in words:
                flows.setdefault(flow, (0, 0))
            else:
                flows[flow] = int(keys["bytes"]), int(keys["packets"])
    return tuple(sum(column) for column in zip(*flows.values())) or (0, 0)


def told(entries):
    data = [part["data"] for entry in entries for part in entry.get("enrichments", ())
            if part["type"] == "event"]
    return tuple(sum(int(one.get(name, 0)) for one in data)
                 for name in ("delta_bytes", "delta_packets"))


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    numbers = [entry["metadata"]["sequence"] for entry in entries]
    if numbers != list(range(len(entries))):
        return f"sequence numbers {numbers}"
    if not all(entry.get("message") for entry in entries):
        return "an entry without a message"
    if told(entries) != sent(sys.argv[1]):
        return "sent %d bytes in %d packets, " % sent(sys.argv[1]) + "told %d in %d" % told(entries)
    print("%d entries, %d bytes in %d packets, each told once" % (len(entries), *told(entries)))
    return None


sys.exit(main())
