# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""ocsf - what stands where in an entry: the only lines to change when a path changes."""


def enrichment(entry, kind, name):
    for each in entry.get("enrichments", []):
        if each.get("type") == kind:
            return each.get("data", {}).get(name)
    return None


def dig(entry, *path):
    for part in path:
        if not isinstance(entry, dict):
            return None
        entry = entry.get(part)
    return entry


def kind(entry):
    return dig(entry, "metadata", "type")


def cookie(entry):
    return dig(entry, "connection_info", "uid")


def lost(entry):
    return entry.get("count") if kind(entry) == "gap" else 0


def is_network(entry):
    return entry.get("class_uid") == 4001


def is_start(entries):
    return any(entry.get("class_uid") == 1008 and entry.get("activity_id") == 6
               for entry in entries)


def is_alert(entry):
    return bool(entry.get("is_alert"))


def dst_ip(entry):
    return dig(entry, "dst_endpoint", "ip")


def dst_port(entry):
    return dig(entry, "dst_endpoint", "port") or 0


def src_port(entry):
    return dig(entry, "src_endpoint", "port") or 0


def pid(entry):
    return dig(entry, "actor", "process", "pid")


def name(entry):
    return dig(entry, "actor", "process", "name")


def path(entry):
    return dig(entry, "actor", "process", "file", "path")


def parent(entry):
    return dig(entry, "actor", "process", "parent_process", "name")


def protocol(entry):
    return dig(entry, "connection_info", "protocol_num")


def bytes_out(entry):
    return dig(entry, "traffic", "bytes_out")


def wire_bytes(entry):
    return enrichment(entry, "event", "wire_bytes")


def packets_out(entry):
    return dig(entry, "traffic", "packets_out")


def role(entry):
    return enrichment(entry, "event", "role")


def basis(entry):
    return enrichment(entry, "event", "basis")


def witness(entry):
    return enrichment(entry, "event", "witness")


def moment(entry):
    return enrichment(entry, "event", "moment")


def verdict(entry):
    return enrichment(entry, "judgement", "verdict")


def rule_id(entry):
    return dig(entry, "firewall_rule", "uid")


def outcome(entry):
    return entry.get("status_detail") if kind(entry) == "connect" else None


def rank(entry):
    return moment(entry) == "close", bytes_out(entry)


def flows(entries):
    """One entry a flow: that with the most bytes, for totals only grow; a closing one first."""
    found = {}
    for entry in entries:
        if kind(entry) != "flow":
            continue
        key = (pid(entry), protocol(entry), src_port(entry), dst_ip(entry), dst_port(entry),
               witness(entry), cookie(entry))
        if key not in found or rank(entry) >= rank(found[key]):
            found[key] = entry
    return list(found.values())


def attached(coverage, hook):
    """Whether this kernel took the hook; where it did not, demarc says so itself."""
    return any(row["state"] == "attached" for row in coverage if row["hook"] == hook)


def refused(coverage, hook):
    """Whether it refused one of the programs there, even if another took its place."""
    return any(row["state"] == "refused" for row in coverage if row["hook"] == hook)
