# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Much at once: every connection is a flow or a counted loss, and the sums come out exactly."""
import json
import signal
import subprocess
import sys
import time

import harness
from harness import APP4, AWAY4, expect
import ocsf
import setup

PORT = 8080
ROOM = 512  # MiB of staging: the disk must not be what loses entries here


def storm(box, agent, options=()):
    box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 0))
    report = box.send("storm", seconds=300, options=("-a", AWAY4, "-p", PORT, "-k", box.storm,
                                                    "-s", 100, *options))
    box.release()
    setup.let_idle()
    harness.wait_until(lambda: is_settled(agent), 60, "the agent to have read what the rings hold")
    return report


def is_settled(agent):
    before = agent.status()["counters"]["flow"]
    time.sleep(0.3)
    return before == agent.status()["counters"]["flow"]


def identities(status):
    """seen = filtered + folded + issued; issued = submitted + dropped; for every kind."""
    for kind, c in status["counters"].items():
        expect(c["seen"] == c["filtered"] + c["folded"] + c["issued"], kind, "seen:", c)
        expect(c["issued"] == c["submitted"] + c["dropped"], kind, "issued:", c)


def overflow(status):
    return sum(status["totals"][name]["flows"]
               for name in ("table_full_own", "table_full_foreign"))


def reconcile(status, entries):
    """Bytes at the gate = bytes of the flows + what is named as no flow or as lost."""
    totals = status["totals"]
    apart = {name: totals[name]["bytes"] for name in (
        "listener", "control", "late", "unparsed", "close_lost", "table_full_own",
        "table_full_foreign")}
    # close_lost holds what was not told before of a flow whose closing record was lost.
    flows = sum(ocsf.enrichment(e, "event", "delta_bytes") for e in entries
                if ocsf.kind(e) == "flow" and ocsf.witness(e) == "gate")
    gate = totals["gate"]["bytes"]
    expect(flows + sum(apart.values()) == gate, "flows", flows, "+", apart, "= ",
           flows + sum(apart.values()), "of", gate, "bytes at the gate")
    return gate


def nothing_shed(status):
    expect(status["journal"]["refused_bulk"] == 0, "storage was too slow for this test:",
           status["journal"])


def storm_flows(entries):
    return [f for f in ocsf.flows(entries) if ocsf.dst_port(f) == PORT and
            ocsf.witness(f) == "gate"]


def whole(box):
    """With room for all: each connection is one flow of the journal."""
    with harness.Agent(box, setup.recording(box, flows__table_entries=262144,
                                            ring__bulk_bytes=67108864,
                                            ring__critical_bytes=67108864,
                                            journal__staging_mib=ROOM)) as agent:
        report = storm(box, agent)
        status = agent.status()
        agent.stop()
        entries = agent.kept()
    found = storm_flows(entries)
    expect(report["failed"] == 0, "the storm itself failed:", report)
    identities(status)
    nothing_shed(status)
    expect(status["counters"]["flow"]["dropped"] == 0, "records were dropped")
    expect(not any(ocsf.lost(e) for e in entries), "a gap is told of, and nothing was lost:",
           [(ocsf.lost(e), e.get("message")) for e in entries if ocsf.lost(e)][:3])
    expect(len(found) + overflow(status) == box.storm, len(found), "flows +", overflow(status),
           "overflow of", box.storm, "connections")
    gate = reconcile(status, entries)
    box.storm_entries = entries
    return f"{box.storm} connections, {len(found)} flows, {gate} bytes, nothing lost"


GENERATION = 36  # where it lies in struct wire_settings


def fence(scope):
    """Let the tracing programs of the agent of this scope miss everything, or nothing any more."""
    shown = json.loads(harness.command("bpftool", "-j", "map", "show", "name", "settings"))
    for one in shown if isinstance(shown, list) else [shown]:
        identity = str(one["id"])
        element = json.loads(harness.command("bpftool", "-j", "map", "dump", "id", identity))[0]
        value = [int(byte, 16) for byte in element["value"]]
        if value[:8] == list(scope.to_bytes(8, "little")):
            value[GENERATION] ^= 0x40
            harness.command("bpftool", "map", "update", "id", identity, "key", *"0000", "value",
                            *map(str, value))
            return
    raise harness.Failure("no settings of this scope")


def unseen(box):
    """The kernel may skip a tracing program: ends that none saw are told when nothing moves."""
    with harness.Agent(box, setup.recording(box)) as agent:
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 0))
        fence(box.scope.id())
        report = box.send("storm", options=("-a", AWAY4, "-p", PORT, "-k", 200, "-s", 100))
        fence(box.scope.id())
        box.release()
        setup.let_idle()
        harness.wait_until(lambda: not agent.status()["pipeline"]["flows"], 15,
                           "flows of closed sockets to end")
        status = agent.status()
        agent.stop()
        entries = agent.kept()
    identities(status)
    reconcile(status, entries)
    ends = sum(ocsf.moment(e) == "close" for e in entries if ocsf.dst_port(e) == PORT)
    expect(ends == report["sent"], ends, "ends of", report["sent"])
    return f"{ends} ends told that no program saw"


def in_order(box):
    """Both rings are merged by time: no flow closes before it opens."""
    expect(hasattr(box, "storm_entries"), "the storm did not get that far")
    opened, early = set(), 0
    for entry in box.storm_entries:
        if ocsf.moment(entry) == "open":
            opened.add(ocsf.cookie(entry))
        elif ocsf.moment(entry) == "close":
            early += ocsf.cookie(entry) not in opened
    del box.storm_entries
    expect(early == 0, early, "closing entries stand before their flow's opening entry")


def shrunk(box):
    """Rings too small on purpose: what is lost is counted, and the totals still reconcile."""
    with harness.Agent(box, setup.recording(box, flows__table_entries=262144,
                                            ring__bulk_bytes=4096, ring__critical_bytes=4096,
                                            journal__staging_mib=ROOM)) as agent:
        storm(box, agent)
        status = agent.status()
        agent.stop()
        entries = agent.kept()
    identities(status)
    nothing_shed(status)
    dropped = status["counters"]["flow"]["dropped"]
    expect(dropped > 0, "rings of a page lost nothing: this test shows nothing")
    gaps = sum(ocsf.lost(e) for e in entries if ocsf.enrichment(e, "event", "reason") ==
               "ring" and ocsf.enrichment(e, "event", "missing") == "flow")
    expect(gaps == dropped, "gaps tell of", gaps, "lost records, the counters of", dropped)
    gate = reconcile(status, entries)
    return f"dropped {dropped} records, all {gate} bytes accounted for"


def ring_gaps(entries):
    return sum(ocsf.lost(e) for e in entries if ocsf.enrichment(e, "event", "reason") == "ring" and
               ocsf.enrichment(e, "event", "missing") == "flow")


def frozen(box):
    """Nobody reads for a while and the rings run over: what was lost is told, while it runs."""
    count = min(box.storm, 10000)
    with harness.Agent(box, setup.recording(box, flows__table_entries=262144,
                                            ring__bulk_bytes=65536, ring__critical_bytes=65536,
                                            journal__staging_mib=ROOM)) as agent:
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 0))
        made = box.send("storm", options=("-a", AWAY4, "-p", PORT, "-k", 100, "-s", 100))["sent"]
        agent.process.send_signal(signal.SIGSTOP)
        try:
            made += box.send("storm", seconds=120, options=("-a", AWAY4, "-p", PORT, "-k", count,
                                                            "-s", 100))["sent"]
        finally:
            agent.process.send_signal(signal.SIGCONT)
        box.release()
        setup.let_idle()
        harness.wait_until(lambda: is_settled(agent), 60, "the agent to have caught up")
        dropped = agent.status()["counters"]["flow"]["dropped"]
        expect(dropped > 0, "rings of 64 KiB held", count, "connections: this test shows nothing")
        harness.wait_until(lambda: ring_gaps(agent.entries()) == dropped, 10,
                           f"gaps of {dropped} records while the agent runs")
        status = agent.status()
        agent.stop()
        entries = agent.kept()
    identities(status)
    nothing_shed(status)
    dropped = status["counters"]["flow"]["dropped"]
    expect(ring_gaps(entries) == dropped, "gaps tell of", ring_gaps(entries), "lost records, the "
           "counters of", dropped)
    closed = sum(ocsf.moment(f) == "close" for f in storm_flows(entries))
    lost = status["totals"]["close_lost"]["flows"]
    expect(closed + lost == made, closed, "flows +", lost, "whose end was lost, of", made,
           "connections")
    gate = reconcile(status, entries)
    return f"{made} connections, {dropped} records dropped, all {gate} bytes accounted for"


def small_table(box):
    """A table too small on purpose: flows + overflow = connections made."""
    with harness.Agent(box, setup.recording(box, flows__table_entries=64)) as agent:
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0, "-b", 0))
        report = box.send("spray", options=("-a", AWAY4, "-k", 2000, "-b", 10))
        setup.let_idle()
        status = agent.status()
        agent.stop()
        found = [f for f in ocsf.flows(agent.kept())
                 if ocsf.pid(f) == report["pid"]]
    identities(status)
    expect(overflow(status) > 0, "a table of 64 did not overflow:", len(found))
    expect(len(found) + overflow(status) == report["sent"], len(found), "+", overflow(status),
           "of", report["sent"])
    return f"{len(found)} flows + {overflow(status)} overflow"


CALLERS = 250  # at once: more than are told by name in the second after the table is full


def answers(box):
    """Who is only answered in a full table is a flow or counted, like who is called."""
    with harness.Agent(box, setup.recording(box, flows__table_entries=64)) as agent:
        box.start("echo-udp", side="app", options=("-a", harness.APP4, "-p", PORT, "-k", 0))
        asked = box.send("callers", side="sink", options=("-a", harness.APP4, "-p", PORT,
                                                          "-k", CALLERS))
        setup.let_idle()
        status = agent.status()
        agent.stop()
        found = [f for f in ocsf.flows(agent.kept()) if ocsf.src_port(f) == PORT]
    box.release()
    expect(overflow(status) > 0, "a table of 64 did not overflow:", len(found))
    expect(len(found) + overflow(status) == asked["sent"], len(found), "+", overflow(status),
           "of", asked["sent"])
    return f"{len(found)} flows + {overflow(status)} overflow"


LATE = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "answer":
    sock.bind((sys.argv[2], int(sys.argv[3])))
    print("ready", flush=True)
    text, peer = sock.recvfrom(99)
    sys.stdin.readline()
    sock.sendto(text, peer)
else:
    sock.sendto(b"ask", (sys.argv[2], int(sys.argv[3])))
    print("ready", flush=True)
    sock.settimeout(120)
    text, peer = sock.recvfrom(99)
    sock.sendto(b"ask again", peer)
"""


def late(box, side, *words):
    """That script on one side, ready; the one that asks is in the scope."""
    rest = (sys.executable, "-c", LATE, *words)
    child = subprocess.Popen(box.words("exec", side, rest=rest), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    box.children.append(child)
    expect(child.stdout.readline() == "ready\n", words[0], "did not begin")
    return child


def forgotten(box):
    """A flood makes forget who spoke first: who asked remains a client, however late the answer."""
    flood = 200000 if harness.PATIENCE == 1 else 140000
    with harness.Agent(box, setup.recording(box, flows__table_entries=64)) as agent:
        server = late(box, "sink", "answer", AWAY4, PORT)
        client = late(box, "app", "ask", AWAY4, PORT)
        box.send("spray", seconds=120, cgroup=box.scope.child("loud"),
                 options=("-a", harness.HOME4, "-s", 4, "-k", flood, "-b", 10))
        setup.let_idle()
        server.stdin.write("now\n")
        server.stdin.close()
        client.wait(20 * harness.PATIENCE)
        setup.let_idle()
        agent.stop()
        roles = [ocsf.role(e) for e in agent.kept()
                 if ocsf.kind(e) == "flow" and ocsf.dst_ip(e) == AWAY4]
    box.release()
    expect(set(roles) == {"client"} and len(roles) > 2, "roles of who asked:", roles)


def long_flows(box):
    """Flows that outlive an interval: progress and end are told, and each byte once."""
    with harness.Agent(box, setup.recording(box, flows__interval_s=1, flows__idle_s=3)) as agent:
        sent = [box.send("udp", options=("-a", AWAY4, "-p", 9000 + i, "-k", 4)) for i in range(20)]
        harness.wait_until(lambda: agent.status()["pipeline"]["flows"] == 20, 10, "a sweep")
        harness.wait_until(lambda: agent.status()["pipeline"]["flows"] == 0, 20, "idle flows to end")
        status = agent.status()
        agent.stop()
        entries = [e for e in agent.kept() if ocsf.kind(e) == "flow"]
    identities(status)
    for report in sent:
        mine = [ocsf.moment(e) for e in entries if ocsf.pid(e) == report["pid"]]
        expect(mine == ["open", "update", "close"], "told of one flow:", mine)
    told = sum(ocsf.enrichment(e, "event", "delta_packets") for e in entries)
    expect(told == 80, told, "packets told of 80")
    return f"{reconcile(status, entries)} bytes"


def flood(box):
    """Spoofed SYNs to a listener: no flow, no violation; SYN-ACKs are the listener's."""
    count = 20000 if box.storm > 10000 else 2000
    with harness.Agent(box, setup.alerting(box)) as agent:
        box.start("serve-tcp", side="app", options=("-a", "0.0.0.0", "-p", PORT, "-k", 0))
        box.send("flood", side="sink", options=("-a", APP4, "-p", PORT, "-k", count))
        setup.let_idle()
        status = agent.status()
        agent.stop()
        entries = agent.kept()
    identities(status)
    network = [e for e in entries if ocsf.is_network(e)]
    expect(not network, "the flood made", len(network), "network entries")
    expect(not [e for e in entries if ocsf.is_alert(e)], "the flood made alerts")
    expect(status["totals"]["listener"]["packets"] > 0, "no SYN-ACK was counted")
    return f"{count} SYNs, {status['totals']['listener']['packets']} SYN-ACKs, 0 flows"


def tests():
    yield "storm", whole
    yield "storm-order", in_order
    yield "storm-unseen-ends", unseen
    yield "storm-shrunk-rings", shrunk
    yield "storm-frozen", frozen
    yield "small-table", small_table
    yield "small-table-answers", answers
    yield "small-table-forgotten", forgotten
    yield "long-flows", long_flows
    yield "syn-flood", flood
