# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""More than there is room for: what is lost is counted, told once, and never called healthy."""
import signal
import subprocess
import time

import cases
from box import AWAY, FLOOD, Lives, Load, TCP_PORT
import harness
from harness import command, expect, wait_until
import oracle

SMALL_RING, UDP = 65536, 17
FLOOD_BYTES, IP_UDP_BYTES = 32, 28
HIDDEN = [f"203.0.113.{number}" for number in range(20, 80)]  # forbidden places of the quiet


def freeze(box):
    """SIGSTOP until the rings are full, then SIGCONT."""
    with Lives(box, each=True, ring__bulk_bytes=SMALL_RING, ring__critical_bytes=SMALL_RING) as lives:
        box.serve()
        lives.start()
        loads = box.mixed(box.size(500, 1000, 50))
        time.sleep(0.5)
        lives.process.send_signal(signal.SIGSTOP)
        time.sleep(box.size(4, 600))
        silent(lives)
        lives.process.send_signal(signal.SIGCONT)
        lives.wait()
        time.sleep(1)
        sums, status, reports = cases.judge(box, lives, loads, lossless=False)
        dropped = sum(c["dropped"] for c in status["counters"].values())
        expect(dropped > 0, "the rings held everything: this shows nothing")
        told = whole_story(sums, status, reports)
        return f"{dropped} records lost, {sums.lost('ring')} told as lost, {told}"


def silent(lives):
    """Nobody may be told that a stopped agent is well."""
    try:
        status = lives.status(check=False, seconds=10)
    except subprocess.TimeoutExpired:
        raise harness.Failure("demarc status waits for ever for a stopped agent") from None
    expect(status is None, "a stopped agent is said to be well")


def whole_story(sums, status, reports):
    """Each flow's end is told, or is in the sum of those that met a full ring; never both."""
    flows, _ = oracle.expected(reports)
    ended = sum(1 for told in sums.lives.values() if told[-1][0] == "close")
    # A datagram flow that was named at its opening and found no room in the table has no end.
    ended += sum(1 for flow, told in sums.lives.items() if told[-1][0] == "open" and flow[2] == UDP)
    nameless = status["totals"]["close_lost"]["flows"] + oracle.suppressed(sums, status)
    expect(ended + nameless == sum(flows.values()), ended, "ends told +", nameless,
           "in a sum, of", sum(flows.values()), "flows:", status["totals"])
    over = [where for where in sums.flows if sums.flows[where] > flows[where]]
    expect(not over, "more flows told than there were:", over[:3])
    return f"{ended} of {sum(flows.values())} flows told to their end, {nameless} in a sum"


def flood(box):
    """One cgroup sends as much as it can to ever new places; another's few violations are named."""
    seconds = box.size(10, 30, 5)
    with Lives(box, flows__idle_s=10, journal__fold_s=60) as lives:
        box.serve()
        lives.start()
        noise = Load(box, "noise", "scatter", FLOOD, k=len(FLOOD) * 60000, t=seconds + 2,
                     b=FLOOD_BYTES)
        time.sleep(1)
        quiet = Load(box, "web", "tcp", AWAY, p=TCP_PORT, r=1, k=seconds, b=100)
        reports = [quiet.finish(seconds + 60), noise.finish(60)]
        sent = sum(target["sent"] for target in reports[1]["targets"])
        status, arrived = lives.end(), box.arrived()
        sums = oracle.read(lives.state)
    oracle.identities(status)
    oracle.lost_in_rings(sums, status)
    oracle.conserved(sums, status)
    size = sum(size for _, size in arrived.values()) + sent * (IP_UDP_BYTES + FLOOD_BYTES)
    expect(status["totals"]["gate"]["bytes"] == size, "the gate counted",
           status["totals"]["gate"]["bytes"], "bytes of", size)
    wanted, _ = oracle.expected(reports[:1])
    found = {where: sums.flows[where] for where in wanted}
    expect(found == dict(wanted), "of the quiet cgroup's connections", found, "are told of", dict(wanted))
    names = set().union(*(sums.names[where] for where in wanted))
    expect(names == {"load"}, "they are told as those of", names)
    told = sum(count for (address, _, _), count in sums.flows.items() if address in FLOOD)
    suppressed = sums.lost("table")
    expect(sums.lost("shed") == 0, sums.lost("shed"), "entries were shed")
    flows_in_sums(sums, status, told, sent)
    rate = sent / reports[1]["seconds"]
    return (f"{sent} datagrams, {rate:.0f} a second: {told} flows told, {suppressed} in sums, "
            f"{status['counters']['flow']['dropped']} records lost; {sum(wanted.values())} of "
            f"{sum(wanted.values())} violations by name")


def split(box, children):
    """One pod floods from many cgroups: each forbidden place of others is told by name, and its own."""
    seconds = box.size(5, 20, 4)
    with Lives(box, flows__idle_s=10, flows__table_entries=4096, journal__fold_s=60,
               ring__critical_bytes=4194304) as lives:
        box.serve()
        lives.start()
        noise = [Load(box, f"pod/{number}", "scatter", FLOOD, k=len(FLOOD) * 60000, t=seconds + 3,
                      b=FLOOD_BYTES) for number in range(children)]
        time.sleep(2)
        quiet = {who: Load(box, cgroup, "tcp", places, p=TCP_PORT, r=20, k=20 * seconds, b=100)
                 for who, cgroup, places in (("among them", "pod/quiet", HIDDEN[:20]),
                                             ("beside them", "web", HIDDEN[20:40]),
                                             ("of a flooder", "pod/0", HIDDEN[40:]))}
        quiet = {who: load.finish(seconds + 120) for who, load in quiet.items()}
        reports = [load.finish(120) for load in noise]
        sent = sum(target["sent"] for report in reports for target in report["targets"])
        status, arrived = lives.end(), box.arrived()
        sums = oracle.read(lives.state)
    oracle.identities(status)
    oracle.lost_in_rings(sums, status)
    oracle.conserved(sums, status)
    size = sum(size for _, size in arrived.values()) + sent * (IP_UDP_BYTES + FLOOD_BYTES)
    expect(status["totals"]["gate"]["bytes"] == size, "the gate counted",
           status["totals"]["gate"]["bytes"], "bytes of", size)
    told = {who: by_name(sums, report) for who, report in quiet.items()}
    words = ", ".join(f"{who} {places} of {of} places ({flows} of {of_flows} connects)"
                      for who, (places, of, flows, of_flows) in told.items())
    expect(all(places == of for places, of, _, _ in told.values()), "told by name:", words, ";",
           status["counters"]["flow"]["dropped"], "records lost of", sent, "datagrams")
    return f"{sent} datagrams of {children} cgroups; by name: {words}"


def by_name(sums, report):
    """(places told, places, connects told, connects)"""
    wanted, _ = oracle.expected([report])
    return (sum(sums.flows[where] > 0 for where in wanted), len(wanted),
            sum(sums.flows[where] for where in wanted), sum(wanted.values()))


def flows_in_sums(sums, status, told, sent):
    missing = sent - told - oracle.suppressed(sums, status) - status["totals"]["close_lost"]["flows"]
    expect(0 <= missing <= sums.lost("ring"), missing, "of", sent, "flows are told nowhere, and",
           sums.lost("ring"), "records were lost")


def fill(box, killed):
    """The journal's disk is full for a while: what has a number stays, what is refused is counted."""
    # Without updates each record is an entry: one of a flow at rest would be none.
    with Lives(box, each=True, disk_mib=4, journal__staging_mib=4, flows__interval_s=3600) as lives:
        box.serve()
        lives.start()
        loads = box.mixed(box.size(500, 500, 50))
        wait_until(lambda: lives.status()["journal"]["failing"], 60, "the disk to be full")
        wait_until(lambda: lives.status()["pipeline"]["shed"], 60, "entries to be shed")
        for _ in range(box.size(3, 10) if killed else 0):
            lives.kill()
            lives.start()
            time.sleep(0.3)
        expect(lives.status()["journal"]["failing"], "a full disk is said to be well")
        command("mount", "-o", "remount,size=2g", lives.disk)
        wait_until(lambda: not lives.status()["journal"]["failing"], 60, "the disk to take again")
        time.sleep(1)
        for load in loads:
            load.stop()
        status = lives.end()
        sums = oracle.read(lives.state)
        oracle.identities(status)
        oracle.lost_in_rings(sums, status)
        oracle.conserved(sums, status)
        shed_exactly(sums, status)
        return f"{sum(sums.entries.values())} entries kept, {sums.lost('shed')} told as shed"


def shed_exactly(sums, status):
    """Every record became an entry or was refused, and each refusal is told."""
    counters = status["counters"]
    records = counters["flow"]["submitted"] + counters["connect"]["submitted"]
    entries = sums.entries["flow"] + sums.entries["connect"]
    expect(entries + sums.lost("shed") == records, entries, "entries +", sums.lost("shed"),
           "shed of", records, "records")
    expect(sums.lost("shed") > 0, "nothing was shed: this shows nothing")


def tests():
    yield "freeze", freeze
    yield "flood", flood
    yield "flood-one", lambda box: split(box, 1)
    yield "flood-split-10", lambda box: split(box, 10)
    yield "flood-split-50", lambda box: split(box, 50)
    yield "disk-full", lambda box: fill(box, False)
    yield "disk-full-killed", lambda box: fill(box, True)
