# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""cases - the ways round a monitor that need no agent of their own, and what must be seen of each.

A cell of the truth table has four letters, or `-` for what did not see it:

    G  the gate counted it as a flow, to the right destination
    C  the socket's owner was noted at connect() or socket(), or the failed attempt was told
    N  the NIC probe told it as an unattributed flow; F: as a forwarded one
    P  the right process is named; X would be a wrong one, and never is
"""
import json
import os
import shutil
import sys
from collections import Counter, namedtuple

from harness import APP4, SINK4, SINK_MAC, Failure, Skipped, command, expect
import ocsf
import senders

PORT = 8080
SERVED = 8500
RACED = 8600
HERE = os.path.dirname(os.path.abspath(__file__))

# name, what it tries, send(box, case) -> report, cell expected; oracle: "exact" (bytes told = bytes that
# arrived), (packets, bytes) told where the wire differs, or None; check(told) for what is special.
Case = namedtuple("Case", "name what send cell oracle check index")


def address(case, family=4):
    return f"203.0.113.{20 + case.index}" if family == 4 else f"2001:db8:3::{20 + case.index}"


def script(box, name, to, *more, side="app", port=PORT, **kept):
    words = (sys.executable, "-B", os.path.join(HERE, "senders.py"), name, to, port, *map(str, more))
    return box.send("exec", side=side, rest=words, seconds=30, **kept)


def python(name, *more, port=PORT, family=4):
    return lambda box, case: script(box, name, address(case, family), *more, port=port)


def program(name, *more, count=1, port=PORT):
    def send(box, case):
        words = (box.evade, name, address(case), port, count, *more)
        report = box.send("exec", rest=words, seconds=60)
        if report["error"] in ("ENOSYS", "EINVAL", "EPERM", "ECANCELED") and name != "x32":
            raise Skipped(f"{name}: {report['error']}")
        return report
    return send


def traffic(verb, *options, port=PORT, family=4):
    return lambda box, case: box.send(verb, options=("-a", address(case, family), "-p", port, *options))


def one(found, what):
    expect(len(found) == 1, len(found), what, "instead of one")
    return found[0]


def owners_all(told):
    wanted = set(told.report["pids"])
    seen = {ocsf.pid(e) for e in told.flows}
    expect(seen == wanted, "owners:", len(seen & wanted), "of", len(wanted), "wrong:", seen - wanted)


def outcome_is(word):
    def check(told):
        if not told.box.sees_ends:
            raise Skipped("the kernel does not tell how connections end")
        expect(ocsf.outcome(one(told.attempts, "attempts")) == word, "outcome",
               ocsf.outcome(told.attempts[0]), "instead of", word)
    return check


def blackhole(box, case):
    command("ip", "-n", box.net.sink, "route", "add", "blackhole", f"{address(case)}/32", "table", "local")
    return script(box, "blackholed", address(case))


def both_places(box, case):
    return box.send("mmsg", options=("-a", address(case), "-2", f"198.51.100.{20 + case.index}",
                                     "-p", PORT, "-b", 200, "-k", 64))


def other_told(told):
    other = f"198.51.100.{20 + told.case.index}"
    mine = [f for f in told.all_flows if ocsf.dst_ip(f) == other and ocsf.pid(f) == told.report["pid"]]
    expect(len(mine) == 1 and ocsf.packets_out(mine[0]) == 32, "the other destination:", len(mine))


def ports(count):
    def check(told):
        seen = {ocsf.dst_port(f) for f in told.flows}
        expect(seen == set(range(PORT, PORT + count)), "ports told:", sorted(seen), "of", count)
    return check


def through_vxlan(box, case):
    app = ("ip", "-n", box.net.app)
    try:
        command(*app, "link", "add", "vx0", "type", "vxlan", "id", 42, "remote", address(case),
                "local", APP4, "dstport", 4789, "dev", "app0")
    except Failure as error:
        raise Skipped(f"the kernel has no VXLAN: {error}") from None
    for words in (("link", "set", "vx0", "addrgenmode", "none"), ("link", "set", "vx0", "up"),
                  ("address", "add", "198.18.0.1/24", "dev", "vx0"),
                  ("neigh", "add", "198.18.0.2", "lladdr", "02:00:00:00:00:02", "dev", "vx0",
                   "nud", "permanent")):
        command(*app, *words)
    report = box.send("udp", options=("-a", "198.18.0.2", "-p", PORT, "-b", 100, "-k", 4))
    return report


def inner_told(told):
    inner = [f for f in told.all_flows if ocsf.pid(f) == told.report["pid"]]
    expect([ocsf.dst_ip(f) for f in inner] == ["198.18.0.2"], "the inner flow:", len(inner))


def through_tun(box, case):
    app = ("ip", "-n", box.net.app)
    try:
        command(*app, "tuntap", "add", "tun9", "mode", "tun")
    except Failure as error:
        raise Skipped(f"the kernel has no TUN: {error}") from None
    command(*app, "link", "set", "tun9", "up")
    command(*app, "address", "add", "198.18.9.1/24", "dev", "tun9")
    box.net.sysctl(box.net.app, "net.ipv4.ip_forward", "1")
    return script(box, "tun", address(case))


DNAT = """table ip evasion {{
 chain o {{
  type nat hook output priority -100;
  ip daddr {asked} dnat to {wire}
 }}
}}
"""


def through_dnat(box, case):
    asked = f"198.51.100.{20 + case.index}"
    path = box.write("nat.nft", DNAT.format(asked=asked, wire=address(case)))
    try:
        command("ip", "netns", "exec", box.net.app, "nft", "-f", path)
    except (Failure, OSError) as error:
        raise Skipped(f"no NAT by nft: {error}") from None
    return script(box, "translated", address(case), asked)


def asked_told(told):
    flow = one(told.flows, "flows")
    asked = ocsf.enrichment(flow, "event", "requested_ip")
    expect(asked == f"198.51.100.{20 + told.case.index}", "requested", asked)


def names_told(told):
    seen = {ocsf.dst_port(f) - PORT: ocsf.name(f) for f in told.flows}
    expect(len(seen) == len(senders.NAMES), "flows of", len(seen), "names")
    for i, name in enumerate(senders.NAMES):
        try:
            wanted = name.decode()
        except UnicodeDecodeError:
            continue  # that it came out as valid JSON is all that can be asked
        expect(seen[i] == wanted, "name", repr(seen[i]), "of", repr(wanted))


def in_pod(box, case):
    return script(box, "plain", address(case), cgroup=box.scope.child("pod"))


def pod_told(told):
    cgroup = ocsf.enrichment(one(told.flows, "flows"), "process", "cgroup")
    wanted = os.stat(os.path.join(told.box.scope.path, "pod")).st_ino
    expect(cgroup == wanted, "cgroup", cgroup, "of", wanted)


SPECIAL = {"239.1.2.3": "multicast", "192.0.2.255": None, "169.254.7.7": "link-local",
           "64:ff9b::cb00:7105": "US", "2002:cb00:7105::1": "US",
           "2001:0:c000:201::34ff:8efa": "US"}


def specially(box, case):
    app = ("ip", "-n", box.net.app)
    command(*app, "route", "add", "169.254.7.7/32", "via", SINK4)
    command(*app, "route", "add", "239.0.0.0/8", "dev", "app0")
    for prefix in ("64:ff9b::/96", "2002::/16", "2001::/32"):
        command(*app, "-6", "route", "add", prefix, "via", "fe80::1", "dev", "app0", "onlink",
                "src", "2001:db8:1::10")
    return script(box, "special", address(case))


def specials_told(told):
    mine = {ocsf.dst_ip(f): f for f in told.all_flows if ocsf.pid(f) == told.report["pid"]}
    for to, wanted in SPECIAL.items():
        expect(to in mine, to, "is not told; told are", sorted(mine))
        place = (ocsf.enrichment(mine[to], "jurisdiction", "scope"),
                 ocsf.enrichment(mine[to], "jurisdiction", "location_country"))
        expect(wanted is None or wanted in place, to, "is", place, "instead of", wanted)


def still_client(told):
    roles = {ocsf.role(e) for e in told.entries if ocsf.kind(e) == "flow"}
    opened = [e for e in told.entries if ocsf.moment(e) == "open"]
    expect(len(opened) == 2, "the flow was opened", len(opened), "times: it did not idle out")
    expect(roles == {"client"}, "roles", roles)


def nothing_local(told):
    mine = [e for e in told.all_entries if ocsf.is_network(e) and ocsf.pid(e) == told.report["pid"]]
    expect(not mine, "told of loopback:", [(ocsf.kind(e), ocsf.dst_ip(e)) for e in mine])


def unsent_told(told):
    mine = [e for e in told.all_entries if ocsf.outcome(e) and ocsf.pid(e) == told.report["pid"]]
    attempt = one(mine, "attempts")
    expect((ocsf.dst_ip(attempt), ocsf.outcome(attempt)) == ("100.64.9.9", "unsent"), "attempt",
           ocsf.dst_ip(attempt), ocsf.outcome(attempt))


def with_subflow(box, case):
    app, sink = ("ip", "-n", box.net.app), ("ip", "-n", box.net.sink)
    command(*app, "address", "add", "192.0.2.11/24", "dev", "app0")
    command(*sink, "neigh", "add", "192.0.2.11", "lladdr", "02:00:00:00:00:0a", "dev", "sink0",
            "nud", "permanent")
    try:
        for side in (app, sink):
            command(*side, "mptcp", "limits", "set", "subflow", 4, "add_addr_accepted", 4)
        command(*app, "mptcp", "endpoint", "add", "192.0.2.11", "dev", "app0", "subflow")
    except Failure as error:
        raise Skipped(f"the kernel has no MPTCP that can be set up: {error}") from None
    report = script(box, "subflows", address(case), port=PORT + 1)
    command(*app, "mptcp", "endpoint", "flush")
    command(*app, "address", "del", "192.0.2.11/24", "dev", "app0")
    return report


def no_worker(told):
    sources = {ocsf.dig(f, "src_endpoint", "ip") for f in told.flows}
    names = {ocsf.name(f) for f in told.flows}
    expect(sources == {APP4, "192.0.2.11"}, "subflows from", sources)
    expect(not any((n or "").startswith("kworker") for n in names), "owners", names)


def same_pid(verb):
    return lambda box, case: one_pid(box, case, verb)


def one_pid(box, case, verb):
    copies = []
    for word in ("even", "odd"):
        copies.append(os.path.join(box.directory, f"evade-{word}"))
        shutil.copy(box.evade, copies[-1])
    return program(verb, *copies, count=100)(box, case)


def each_its_program(told):
    """Even ports were sent to by one program, odd ones by the other, all under one pid."""
    expect(len(told.flows) == 100, len(told.flows), "flows of 100")
    for flow in told.flows:
        word = ("even", "odd")[(ocsf.dst_port(flow) - PORT) % 2]
        index = ocsf.dst_port(flow) - PORT
        expect(ocsf.pid(flow) == told.report["pids"][index], "pid", ocsf.pid(flow), "of",
               told.report["pids"][index])
        path = ocsf.dig(flow, "actor", "process", "file", "path")
        expect(ocsf.name(flow) == f"evade-{word}", "name", ocsf.name(flow), "of", word)
        expect(path is None or path.endswith(word), "program", path, "of", word)


def served(name, count):
    """A server in the app namespace, which the sink asks COUNT times."""
    def send(box, case):
        words = (sys.executable, "-B", os.path.join(HERE, "senders.py"), name, "-", SERVED, count)
        server = box.start("exec", side="app", rest=words)
        asked = script(box, "fetch", APP4, count, side="sink", port=SERVED)
        expect("ports" in asked, "the server did not answer:", asked["error"])
        report = json.loads(server.stdout.read().splitlines()[-1])
        return {**report, "ports": asked["ports"]}
    return send


def by_listener(told):
    """Who listened is named as what it is; who accepted is nobody's guess."""
    mine = [f for f in told.all_flows if ocsf.role(f) == "server" and
            ocsf.dst_port(f) in told.report["ports"]]
    expect(len(mine) == len(told.report["ports"]), len(mine), "flows of", len(told.report["ports"]))
    for flow in mine:
        seen = ocsf.pid(flow), ocsf.basis(flow)
        expect(seen == (told.report["pid"], "listener"), "owner", seen, "instead of",
               (told.report["pid"], "listener"))


def raced(kind, count):
    """The address changes under connect(): what the sink saw is compared with what is told."""
    def send(box, case):
        here, other = address(case), f"198.51.100.{20 + case.index}"
        sink = box.start("exec", rest=(box.evade, f"witness-{kind}", here, RACED, count))
        report = box.send("exec", rest=(box.evade, f"race-{kind}", here, RACED, count, other), seconds=120)
        witness = json.loads(sink.stdout.read().splitlines()[-1])
        expect(witness["error"] == "" and witness["first"] + witness["second"] == count,
               "the sink saw", witness["first"], "+", witness["second"], "of", count)
        expect(witness["first"] and witness["second"], "nothing raced:", witness["second"])
        return {**report, "witness": witness, "other": other}
    return send


def race_flows(told):
    mine = [f for f in told.all_flows if ocsf.pid(f) == told.report["pid"]]
    for flow in mine:
        asked = ocsf.enrichment(flow, "event", "requested_ip")
        expect(asked in (None, ocsf.dst_ip(flow)), "asked for", asked, "and sent to", ocsf.dst_ip(flow))
    return mine


def datagrams_where_seen(told):
    packets, witness = Counter(), told.report["witness"]
    for flow in race_flows(told):
        packets[ocsf.dst_ip(flow)] += ocsf.packets_out(flow)
    wanted = {address(told.case): witness["first"], told.report["other"]: witness["second"]}
    expect(dict(packets) == wanted, "packets told", dict(packets), "of", wanted)


def streams_where_seen(told):
    seen = Counter((port, to) for port, to in told.report["witness"]["seen"])
    told_of = Counter((ocsf.src_port(f), ocsf.dst_ip(f)) for f in race_flows(told))
    expect(told_of == seen, "told and not seen:", list((told_of - seen).items())[:3],
           "seen and not told:", list((seen - told_of).items())[:3])


def x32_refused(told):
    expect(told.report["error"] == "ENOSYS" or told.flows, "x32 went through and was not told")


def sctp(verb):
    def send(box, _):
        box.start("serve-sctp", options=("-a", "0.0.0.0", "-p", PORT, "-k", 1))
        if verb == "sctp":
            return box.send("sctp", options=("-a", SINK4, "-p", PORT, "-b", 1000, "-k", 3))
        return script(box, verb, SINK4)
    return send


ROWS = (
    ("E01", "TCP, IPv4", traffic("tcp", "-b", 1000, "-k", 3), "GC-P"),
    ("E01-v6", "TCP, IPv6", traffic("tcp", "-b", 1000, "-k", 3, family=6), "GC-P"),
    ("E02", "1,000 processes connect and exit at once", program("quick", count=1000), "GC-P", None,
     owners_all),
    ("E03-refused", "a connect that is refused", python("refused"), "GC-P", "exact",
     outcome_is("refused")),
    ("E03-timeout", "a connect that nobody answers", blackhole, "GC-P", "exact", outcome_is("timeout")),
    ("E04", "Fast Open by sendto(), without connect()", traffic("fastopen", "-b", 1000, "-k", 3), "GC-P"),
    ("E05", "TCP_FASTOPEN_CONNECT, SYN deferred to the first write", python("fastopen_connect"), "GC-P"),
    ("E06-tcp", "IPv4-mapped IPv6, TCP", traffic("tcp", "-m", "-b", 1000, "-k", 3), "GC-P"),
    ("E06-udp", "IPv4-mapped IPv6, UDP", traffic("udp", "-m", "-b", 100, "-k", 5), "GC-P"),
    ("E07", "unconnected UDP to 100 destinations", python("spread"), "GC-P", "exact", ports(100)),
    ("E08", "sendmmsg, good and bad destination in turn", both_places, "GC-P", (32, 32 * 228),
     other_told),
    ("E10-cork", "UDP corked by MSG_MORE", python("corked"), "GC-P", (1, 328)),
    ("E10-gso", "UDP_SEGMENT", traffic("gso", "-b", 1000, "-k", 10), "GC-P", (1, 10028)),
    ("E10-fragment", "a datagram larger than the MTU", python("fragmented"), "GC-P", (1, 8028)),
    ("E11", "io_uring: CONNECT and SEND", program("uring"), "GC-P", None),
    ("E11-sqpoll", "io_uring: the same by the kernel's polling thread", program("uring-sqpoll"), "GC-P",
     None),
    ("E11-direct", "io_uring: SOCKET without a descriptor", program("uring-direct"), "GC-P", None),
    ("E11-direct-sqpoll", "io_uring: the same by the polling thread", program("uring-direct-sqpoll"),
     "GC-P", None),
    ("E13", "io_uring: SENDMSG of a datagram", program("uring-sendmsg"), "GC-P"),
    ("E13-zerocopy", "io_uring: SEND_ZC", program("uring-zerocopy"), "GC-P", None),
    ("E15", "x32 system calls", program("x32"), "----", None, x32_refused),
    ("E15-int80", "32-bit system calls by int 0x80", program("int80"), "GC-P", None),
    ("E16", "a thread changes the address during 100,000 connects of UDP", raced("udp", 100000), "GC-P",
     None, datagrams_where_seen),
    ("E16-tcp", "the same during 5,000 connects of TCP", raced("tcp", 5000), "GC-P", None,
     streams_where_seen),
    ("E17-tcp", "raw IP with a TCP header of its own", python("raw_tcp"), "GC-P", "exact"),
    ("E17-udp", "raw IP with a UDP header of its own", python("raw_udp"), "GC-P", "exact"),
    ("E18", "ICMP tunnel: 1,000 echoes of 1,400 bytes", traffic("icmp", "-b", 1400, "-k", 1000), "GC-P"),
    ("E18-ping", "ping socket", traffic("ping", "-b", 1400, "-k", 3), "GC-P"),
    ("E19", "AF_PACKET frames: wrong types, VLAN tag", python("frames"), "--N-", (10, 780), ports(5)),
    ("E19-cooked", "AF_PACKET, the kernel writes the frame", python("cooked"), "--N-"),
    ("E20-ring", "AF_PACKET through PACKET_TX_RING", program("txring", "app0", 0, count=4), "--N-"),
    ("E20-bypass", "AF_PACKET with PACKET_QDISC_BYPASS: a documented limit", python("bypass"), "----",
     (0, 0)),
    ("E20-both", "PACKET_TX_RING with PACKET_QDISC_BYPASS: the same", program("txring", "app0", 1, count=4),
     "----", (0, 0)),
    ("E21", "AF_XDP in copy mode: a documented limit", program("xdp", "app0", count=4), "----", (0, 0)),
    ("E22", "SCTP, connect()", sctp("sctp"), "GC-P"),
    ("E22-many", "SCTP one-to-many, implicit by sendto()", sctp("sctp_many"), "GC-P", None),
    ("E23", "DCCP, a request", python("dccp"), "GC-P", None),
    ("E25-sendfile", "sendfile()", python("by_sendfile"), "GC-P"),
    ("E25-splice", "splice()", python("by_splice"), "GC-P"),
    ("E25-vmsplice", "vmsplice() and splice()", python("by_vmsplice"), "GC-P"),
    ("E29", "VXLAN: good inside, bad outside", through_vxlan, "--N-", "exact", inner_told),
    ("E33", "packets injected by a TUN device, forwarded", through_tun, "--F-"),
    ("E37", "DNAT in the own namespace", through_dnat, "GC-P", "exact", asked_told),
    ("E41", "the connected socket is passed by SCM_RIGHTS", python("passed_fd"), "GC-P"),
    ("E41-early", "the socket is passed before connect()", python("passed_unconnected"), "GC-P"),
    ("E41-fork", "a child sends by its parent's socket", python("forked"), "GC-P"),
    ("E41-getfd", "the socket is taken by pidfd_getfd()", python("taken_fd"), "GC-P"),
    ("E42-activated", "a listener made by one program and served by another", served("activated", 3),
     "GC-P", None, by_listener),
    ("E42-workers", "children accept and are gone", served("workers", 8), "GC-P", None, by_listener),
    ("E53", "exec with an open socket", python("exec_with_socket"), "GC-P"),
    ("E54", "100 processes with one pid, of two programs", same_pid("samepid"), "GC-P", "exact",
     each_its_program),
    ("E54-inside", "the same in a namespace of process ids", same_pid("samepid-inside"), "GC-P", "exact",
     each_its_program),
    ("E55", "hostile bytes in the process's name", python("named"), "GC-P", "exact", names_told),
    ("E57", "root of a user namespace", python("user_namespace"), "GC-P"),
    ("E57-pod", "a pod in the node's network namespace", in_pod, "GC-P", "exact", pod_told),
    ("E69", "multicast, broadcast, NAT64, 6to4, Teredo, link-local", specially, "GC-P", None,
     specials_told),
    ("R01", "UDP: the peer breaks a silence that closed the flow", python("reopened"), "GC-P", "exact",
     still_client),
    ("R02", "TCP to loopback and to the own address", python("loopback"), "----", (0, 0), nothing_local),
    ("R03", "no route, then a good connect on the same socket", python("unroutable"), "GC-P", "exact",
     unsent_told),
    ("R04", "MPTCP: a second subflow", with_subflow, "GC-P", None, no_worker),
)


def make(index, name, what, send, cell, oracle="exact", check=None):
    return Case(name, what, send, cell, oracle, check, index)


CASES = [make(index, *row) for index, row in enumerate(ROWS)]


def names():
    """Rows of the truth table."""
    return [(each.name, each.what) for each in CASES]
