# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every way to send is exactly one flow a destination: its owner, its basis, its bytes.

All of it is sent first, under one agent that writes every flow; then the agent
ends, and each test judges its own part of what was written.
"""
import harness
from harness import APP4, AWAY4, ETHERNET_BYTES, HOME4, HOME6, Failure, Skipped, command, expect
import ocsf
import setup
import transports

QUICK = 50
ORPHANS = 10  # connections whose server closes last, when their sockets are gone
VXLAN_OUTER = "203.0.113.99"


class Story:
    """What was sent, and what the agent wrote about it."""

    def __init__(self, box):
        self.done, self.attempts = {}, {}
        with harness.Agent(box, setup.recording(box)) as agent:
            before = box.net.counters()
            for row in transports.ROWS:
                self.keep(row.name, transports.exchange, box, row)
                box.release()
            self.keep("server", serve_once, box)
            self.keep("vxlan", through_vxlan, box)
            self.keep("refused", box.send, "tcp", options=("-a", AWAY4, "-p", 81))
            self.keep("quick", box.send, "quick", options=("-a", AWAY4, "-p", 82, "-k", QUICK))
            setup.let_idle()
            after = transports.settled(box)
            self.arrived = after[0] - before[0], after[1] - before[1]
            self.status = agent.status()
            agent.stop()
            self.entries = agent.entries()
        self.flows = ocsf.flows(self.entries)

    def keep(self, name, action, *arguments, **more):
        try:
            self.done[name] = action(*arguments, **more)
        except (Failure, Skipped) as error:
            self.done[name] = error

    def result(self, name):
        if isinstance(self.done[name], Exception):
            raise self.done[name]
        return self.done[name]


def story(box):
    """Told once; a failure to tell it is every test's failure."""
    if not hasattr(box, "story"):
        try:
            box.story = Story(box)
        except Failure as error:
            box.story = error
    if isinstance(box.story, Exception):
        raise box.story
    return box.story


def serve_once(box):
    box.start("serve-tcp", side="app", options=("-a", "0.0.0.0", "-p", 8081, "-b", 5000))
    before = box.net.counters()
    report = box.send("tcp", side="sink", options=("-a", APP4, "-p", 8081, "-b", 100))
    after = transports.settled(box)
    packets = after[0] - before[0]
    expect(report["received"] == 5000, "the server did not answer:", report)
    return packets, after[1] - before[1] - packets * ETHERNET_BYTES, report


def through_vxlan(box):
    """An inner datagram passes the gate; what carries it leaves without a socket."""
    app = ("ip", "-n", box.net.app)
    try:
        command(*app, "link", "add", "vx0", "type", "vxlan", "id", 42, "remote", VXLAN_OUTER,
                "local", APP4, "dstport", 4789, "dev", "app0")
    except Failure as error:
        raise Skipped(f"the kernel has no VXLAN: {error}") from None
    command(*app, "link", "set", "vx0", "addrgenmode", "none")
    command(*app, "link", "set", "vx0", "up")
    command(*app, "address", "add", "198.18.0.1/24", "dev", "vx0")
    command(*app, "neigh", "add", "198.18.0.2", "lladdr", "02:00:00:00:00:02", "dev", "vx0",
            "nud", "permanent")
    before = box.net.counters()
    report = box.send("udp", options=("-a", "198.18.0.2", "-p", 9100, "-b", 100, "-k", 4))
    after = transports.settled(box)
    command(*app, "link", "del", "vx0")
    packets = after[0] - before[0]
    expect(packets == 4, "of 4 outer packets arrived", packets)
    return packets, after[1] - before[1] - packets * ETHERNET_BYTES, report


def sums(flows):
    return (sum(ocsf.packets_out(f) for f in flows), sum(ocsf.bytes_out(f) for f in flows))


def describe(flows):
    return [(ocsf.dst_ip(f), ocsf.dst_port(f), ocsf.protocol(f), ocsf.pid(f),
             ocsf.witness(f), ocsf.packets_out(f), ocsf.bytes_out(f)) for f in flows]


def of_row(told, row, report):
    """The flows that this row's sender made."""
    if row.witness == "nic":
        return [f for f in told.flows if ocsf.witness(f) == "nic" and
                (ocsf.dst_ip(f), ocsf.dst_port(f)) == (row.destinations[0], row.port)]
    return [f for f in told.flows if ocsf.pid(f) == report["pid"]]


def cut_later(flows, packets, size):
    """What segmentation added behind the gate and the NIC probe, where veth does not take it all:
    packets, and the headers that wire_bytes told beforehand."""
    told_packets, told_bytes = sums(flows)
    wire = sum(ocsf.wire_bytes(f) for f in flows)
    if wire == size and packets > told_packets:
        return packets - told_packets, size - told_bytes
    return 0, 0


def judged(row):
    def test(box):
        told = story(box)
        packets, size, report = told.result(row.name)
        mine = of_row(told, row, report)
        expect(sorted(ocsf.dst_ip(f) for f in mine) == sorted(row.destinations),
               "flows:", describe(mine), "wanted one for each of", row.destinations)
        for flow in mine:
            expect(ocsf.witness(flow) == row.witness, "witness", ocsf.witness(flow))
            expect(ocsf.dst_port(flow) == row.port, "port", ocsf.dst_port(flow))
            expect(ocsf.protocol(flow) == row.protocol, "protocol", ocsf.protocol(flow))
            expect(ocsf.basis(flow) in row.basis, "basis", ocsf.basis(flow))
            if row.witness == "gate":
                expect(ocsf.role(flow) == "client", "role", ocsf.role(flow))
                expect(ocsf.name(flow) == "traffic", "process", ocsf.name(flow))
        more_packets, more_bytes = cut_later(mine, packets, size)
        wanted = packets - more_packets, size - more_bytes
        expect(sums(mine) == wanted, "packets, bytes", sums(mine), "of", wanted)
        expect(row.expected in (None, wanted), "packets, bytes", wanted, "of", row.expected)
        return f"{size} bytes, {ocsf.basis(mine[0])}"
    return test


def server(box):
    """Answers are a flow of role server; SYN-ACKs are the listener's, not the flow's."""
    told = story(box)
    packets, size, report = told.result("server")
    mine = [f for f in told.flows if ocsf.role(f) == "server"]
    expect(len(mine) == 1, "server flows:", describe(mine))
    expect(ocsf.dst_port(mine[0]) == report["local_port"], "port", ocsf.dst_port(mine[0]))
    expect(ocsf.basis(mine[0]) == "listener", "basis", ocsf.basis(mine[0]))
    listener = told.status["totals"]["listener"]
    whole = (ocsf.packets_out(mine[0]) + listener["packets"],
             ocsf.bytes_out(mine[0]) + listener["bytes"])
    expect(whole == (packets, size), "flow and listener", whole, "of", (packets, size))


def vxlan(box):
    """Inner flow at the gate, outer at the NIC: both exact, the outer unattributed."""
    told = story(box)
    packets, size, report = told.result("vxlan")
    inner = [f for f in told.flows if ocsf.pid(f) == report["pid"]]
    outer = [f for f in told.flows if ocsf.dst_ip(f) == VXLAN_OUTER]
    expect([ocsf.witness(f) for f in inner] == ["gate"], "inner", describe(inner))
    expect(len(outer) == 1 and ocsf.witness(outer[0]) == "nic", "outer", describe(outer))
    expect(ocsf.pid(outer[0]) is None, "the outer flow has an owner", ocsf.pid(outer[0]))
    expect(sums(outer) == (packets, size), "outer", sums(outer), "of", (packets, size))


def refused(box):
    told = story(box)
    report = told.result("refused")
    mine = [e for e in told.entries if ocsf.pid(e) == report["pid"] and ocsf.outcome(e)]
    if not ocsf.attached(told.status["coverage"], "tp_btf/inet_sock_set_state"):
        flows = [f for f in told.flows if ocsf.pid(f) == report["pid"]]
        expect(len(flows) == 1 and not mine, "without a hook for ends:", describe(flows), len(mine))
        return "told as a flow; this kernel lets nobody see how it ended, and coverage says so"
    expect(len(mine) == 1, "attempts of the refused process:", len(mine))
    expect(ocsf.outcome(mine[0]) == "refused", "outcome", ocsf.outcome(mine[0]))
    expect((ocsf.dst_ip(mine[0]), ocsf.dst_port(mine[0])) == (AWAY4, 81), "destination")
    return ""


def quick(box):
    """Processes that connect without waiting and are gone within a millisecond are still named."""
    told = story(box)
    told.result("quick")
    mine = [e for e in told.entries if ocsf.is_network(e) and ocsf.dst_port(e) == 82]
    owners = {ocsf.pid(e) for e in mine}
    expect(None not in owners, "an owner is unknown")
    expect(len(owners) == QUICK, len(owners), "owners of", QUICK)
    expect({ocsf.name(e) for e in mine} == {"traffic"}, {ocsf.name(e) for e in mine})


def no_others(box):
    """What was not sent is not reported: no flow beyond those of the rows."""
    told = story(box)
    known = {p for row in transports.ROWS for p in row.destinations} | {
        VXLAN_OUTER, "198.18.0.2", harness.SINK4}
    others = [f for f in told.flows if ocsf.dst_ip(f) not in known]
    expect(not others, "flows that nobody made:", describe(others))
    wanted = sum(len(row.destinations) for row in transports.ROWS
                 if not isinstance(told.done[row.name], Exception))
    apart = (81, 82, 4789, 9100)  # refused, quick, VXLAN's two: tests of their own
    seen = [f for f in told.flows if ocsf.role(f) != "server" and
            ocsf.dst_port(f) not in apart]
    expect(len(seen) == wanted, len(seen), "flows of", wanted, describe(seen))


def conserved(box):
    """What the peer received = what the NIC probe counted, packet by packet."""
    told = story(box)
    totals = told.status["totals"]
    nic, parts = totals["nic"], ("nic_counted", "nic_forwarded", "nic_unattributed", "nic_control",
                                "nic_other")
    for what in ("packets", "bytes"):
        expect(nic[what] == sum(totals[part][what] for part in parts), "the NIC's", what,
               nic[what], "are not the sum of", {part: totals[part][what] for part in parts})
    packets, size = told.arrived[0], told.arrived[1] - told.arrived[0] * ETHERNET_BYTES
    for row in transports.ROWS:
        if isinstance(told.done[row.name], tuple):
            more = cut_later(of_row(told, row, told.done[row.name][2]), *told.done[row.name][:2])
            packets, size = packets - more[0], size - more[1]
    expect(nic["packets"] == packets, "NIC packets", nic["packets"], "of", packets)
    expect(nic["bytes"] in (size, size + packets * ETHERNET_BYTES), "NIC bytes", nic["bytes"], "of",
           size)


def time_wait(box):
    """The end of a connection that is answered for by no socket any more: counted apart, each byte."""
    with harness.Agent(box, setup.recording(box)) as agent:
        before = box.net.counters()
        for home, every in ((HOME4, "0.0.0.0"), (HOME6, "::")):
            server = box.start("serve-tcp", options=("-a", every, "-p", 8094, "-b", 0, "-w", 200,
                                                     "-k", ORPHANS))
            box.send("storm", options=("-a", home, "-p", 8094, "-k", ORPHANS))
            server.wait(ORPHANS * harness.PATIENCE)
            box.release()
        setup.let_idle()
        after = transports.settled(box)
        totals = agent.status()["totals"]
        agent.stop()
    packets, frames = (b - a for a, b in zip(before, after))
    mine = totals["gate"]["packets"] + totals["nic_control"]["packets"]
    bytes_of = totals["gate"]["bytes"] + totals["nic_control"]["bytes"]
    expect(totals["nic_control"]["packets"] >= 2 * ORPHANS, totals["nic_control"], "of", 2 * ORPHANS)
    expect((mine, bytes_of) == (packets, frames - packets * ETHERNET_BYTES), (mine, bytes_of), "of",
           (packets, frames - packets * ETHERNET_BYTES))
    return f"{totals['nic_control']['packets']} of {packets} packets"


def tests():
    for row in transports.ROWS:
        yield row.name, judged(row)
    yield "server", server
    yield "vxlan", vxlan
    yield "refused", refused
    yield "quick-exit", quick
    yield "no-other-flows", no_others
    yield "conservation", conserved
    yield "time-wait", time_wait
