# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""oracle - what a journal says in sum, held against what was sent and what arrived.

Everything is counted for (address, port, protocol). The journal is read from the
format's description (docs/journal.md), not with demarc's own reader.
"""
import collections
import json
import os
import struct
import zlib

from harness import expect, unpacked
import ocsf

FRAME = struct.Struct("<IIQQqII")  # length, crc, sequence, durable, logged_ms, class, pad
FRAME_ALIGN = 8
HEADER_BYTES, FIRST_SEQUENCE = 1024, 16
GATE = "gate"
NO_FLOW = ("listener", "control", "late", "unparsed", "close_lost")  # bytes that no entry carries


def frames(path):
    """(sequence, entry) of one segment, up to where it ends or was torn."""
    with open(path, "rb") as segment:
        data = segment.read()
    expect(data[:8] == b"DEMARCJ1", path, "is no segment")
    at = HEADER_BYTES
    data = unpacked(data, at)
    while at + FRAME.size <= len(data):
        length, crc, sequence = struct.unpack_from("<IIQ", data, at)
        if not length or zlib.crc32(data[at + 8:at + FRAME.size + length]) != crc:
            return
        yield sequence, data[at + FRAME.size:at + FRAME.size + length]
        at += -(-(FRAME.size + length) // FRAME_ALIGN) * FRAME_ALIGN


def first_sequence(path):
    with open(path, "rb") as segment:
        header = segment.read(HEADER_BYTES)
    return struct.unpack_from("<Q", header, FIRST_SEQUENCE)[0]


def shard(folder):
    """The entries of a shard; a segment counts up to where the next one begins."""
    paths = sorted(os.path.join(folder, name) for name in os.listdir(folder)
                   if name.endswith(".seg"))
    ends = [first_sequence(path) for path in paths[1:]] + [1 << 63]
    due = 0
    for path, end in zip(paths, ends):
        for sequence, text in frames(path):
            if sequence >= end:
                break
            expect(sequence == due, path, "has sequence", sequence, "where", due, "is due")
            due += 1
            yield json.loads(text)


def entries(state):
    """Every entry of every shard: gapless, and none twice. One at a time, for there may be many."""
    home = os.path.join(state, "journal")
    seen, twice = set(), 0
    for name in sorted(os.listdir(home)):
        folder = os.path.join(home, name)
        for entry in shard(folder) if os.path.isdir(folder) else ():
            twice += entry["metadata"]["uid"] in seen
            seen.add(entry["metadata"]["uid"])
            yield entry
    expect(not twice, twice, "entries are there twice")


def read(state):
    return Sums(entries(state))


def place(entry):
    return ocsf.dst_ip(entry), ocsf.dst_port(entry), ocsf.protocol(entry)


def phase(entry):
    return ocsf.enrichment(entry, "judgement", "phase")


def begun(entry):
    """How many flows, or attempts, this entry counts: of a fold its last entry has them all."""
    if phase(entry) in ("sum", "close"):
        return entry.get("count", 0)
    if phase(entry):
        return 0
    return 1 if ocsf.moment(entry) in (None, "open") else 0


class Sums:
    """What the entries add up to."""

    def __init__(self, entries):
        self.flows, self.attempts = collections.Counter(), collections.Counter()
        self.bytes, self.packets = collections.Counter(), collections.Counter()
        self.stray = 0          # flows that no gate counted
        self.entries = collections.Counter()
        self.gaps = collections.Counter()  # (reason, missing kind): records
        self.lost_bytes, self.lost_packets = collections.Counter(), collections.Counter()
        self.open_alerts = collections.Counter()
        self.names = {}  # of the process, for each place
        self.downs = []  # (from, to) in seconds of each gap in which nobody counted
        self.starts = []  # what each start says
        self.lives = collections.defaultdict(list)  # of a flow: (moment, delta, bytes, ms)
        for entry in entries:
            self.entries[ocsf.kind(entry)] += 1
            add = getattr(self, "_" + ocsf.kind(entry), None)
            if add:
                add(entry)

    def _flow(self, entry):
        if ocsf.witness(entry) != GATE:
            self.stray += 1
            return
        where = place(entry)
        self.flows[where] += begun(entry)
        self.bytes[where] += ocsf.enrichment(entry, "event", "delta_bytes") or 0
        self.packets[where] += ocsf.enrichment(entry, "event", "delta_packets") or 0
        self.names.setdefault(where, set()).add(ocsf.name(entry))
        self._alert(entry, where)
        if not phase(entry):
            self.lives[where + (ocsf.cookie(entry), ocsf.src_port(entry))].append(
                (ocsf.moment(entry), ocsf.enrichment(entry, "event", "delta_bytes"),
                 ocsf.bytes_out(entry), entry["time"]))

    def _alert(self, entry, where):
        name = where + (ocsf.kind(entry), ocsf.rule_id(entry), ocsf.name(entry))
        self.open_alerts[name] += {"open": 1, "close": -1}.get(phase(entry), 0)

    def _connect(self, entry):
        self.attempts[place(entry)] += begun(entry)
        self._alert(entry, place(entry))

    def _gap(self, entry):
        event = {name: ocsf.enrichment(entry, "event", name)
                 for name in ("reason", "missing", "lost_bytes", "lost_packets")}
        self.gaps[event["reason"], event["missing"]] += entry.get("count") or 0
        if event["reason"] == "down":
            self.downs.append((entry["start_time"] / 1000, entry["end_time"] / 1000))
        self.lost_bytes[event["reason"]] += event["lost_bytes"] or 0
        self.lost_packets[event["reason"]] += event["lost_packets"] or 0

    def _agent(self, entry):
        if ocsf.is_start([entry]):
            self.starts.append(entry.get("message", ""))

    def lost(self, *reasons):
        return sum(count for (reason, _), count in self.gaps.items() if reason in reasons)


def identities(status):
    """seen = filtered + folded + issued; issued = submitted + dropped; for every kind."""
    for kind, c in status["counters"].items():
        expect(c["seen"] == c["filtered"] + c["folded"] + c["issued"], kind, "seen:", c)
        expect(c["issued"] == c["submitted"] + c["dropped"], kind, "issued:", c)


def differences(name, wanted, found):
    """The places where two counters differ, in words."""
    places = sorted(set(wanted) | set(found), key=str)
    return [f"{name} to {where}: {found[where]} of {wanted[where]}" for where in places
            if found[where] != wanted[where]]


def is_whole(told):
    """Opened once and first, closed once and last, the parts add up to the whole."""
    moments = [moment for moment, _, _, _ in told]
    whole = sum(delta or 0 for _, delta, _, _ in told)
    return moments[0] == "open" and moments.count("open") == 1 and moments[-1] == "close" and \
        moments.count("close") == 1 and whole == told[-1][2]


def in_order(lives):
    wrong = [(flow, told) for flow, told in lives.items() if not is_whole(told)]
    expect(not wrong, len(wrong), "flows are told wrongly, the first:", *wrong[:3])


def expected(reports):
    """What the loads began, and what failed, for each place."""
    flows, failed = collections.Counter(), collections.Counter()
    for report in reports:
        for target in report["targets"]:
            where = target["address"], target["port"], target["protocol"]
            flows[where] += target["begun"]
            failed[where] += target["failed"]
    return flows, failed


def conserved(sums, status):
    """Bytes at the gate = of the entries + of the gaps + those that are named as no flow's."""
    totals = status["totals"]
    apart = {name: totals[name]["bytes"] for name in NO_FLOW}
    told = sum(sums.bytes.values())
    gate = totals["gate"]["bytes"]
    gaps = sum(sums.lost_bytes.values())
    expect(told + gaps + sum(apart.values()) == gate, "entries tell of", told, "bytes, gaps of",
           dict(sums.lost_bytes), "totals of", apart, "and the gate of", gate, ": difference",
           gate - told - gaps - sum(apart.values()))


def lost_in_rings(sums, status):
    """Every drop is in one gap, and every gap has its drops."""
    for kind, c in status["counters"].items():
        expect(sums.gaps["ring", kind] == c["dropped"], "gaps tell of", sums.gaps["ring", kind],
               "lost", kind, "records, the counters of", c["dropped"])


def suppressed(sums, status):
    """Every flow that found no room in the table, and was not named, is in one gap."""
    apart = sum(status["totals"][name]["flows"] for name in ("table_full_own", "table_full_foreign"))
    expect(sums.lost("table") == apart, "gaps tell of", sums.lost("table"),
           "flows without room, the totals of", apart)
    return apart


def alerts_closed(sums):
    left = {name: count for name, count in sums.open_alerts.items() if count}
    expect(not left, "alerts that were opened and never closed, or the reverse:", left)


def nothing_lost(sums, status):
    for kind, c in status["counters"].items():
        expect(c["dropped"] == 0, "the ring was full:", kind, c)
    expect(not sums.entries["gap"], "gaps tell of", dict(sums.gaps), "and nothing was lost")


def tells_ends(status):
    """Before 5.11 the kernel does not tell how connections end, and so not which failed."""
    return any(row["state"] == "attached" and "inet_sock_set_state" in row["hook"]
               for row in status["coverage"])


def exact(sums, reports, arrived, status):
    """Entries = what was sent = what arrived, at each place."""
    flows, failed = expected(reports)
    if not tells_ends(status):
        failed.clear()
    wrong = differences("flows", flows, sums.flows) + \
        differences("failed connects", +failed, +sums.attempts)
    sizes = collections.Counter({where: size for where, (_, size) in arrived.items()})
    packets = collections.Counter({where: count for where, (count, _) in arrived.items()})
    wrong += differences("bytes", sizes, sums.bytes) + differences("packets", packets, sums.packets)
    expect(not wrong, "; ".join(wrong[:12]))
    return sum(flows.values()), sum(sizes.values())
