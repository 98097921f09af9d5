# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""transports - the table of ways to send, and what each must look like on the wire and in a flow."""
from collections import namedtuple

from harness import APP4, AWAY4, AWAY6, ETHERNET_BYTES, HOME4, HOME6, SINK4, SINK_MAC

IPV4, IPV6, UDP, ICMP = 20, 40, 8, 8
TCP_NUMBER, UDP_NUMBER, ICMP_NUMBER, ICMP6_NUMBER = 6, 17, 1, 58

# name: of the test; server: verb that answers at the sink, or None; destinations: of
# the flows expected; protocol: IANA number; basis: the owner bases that are right; witness; expected:
# (packets, bytes without Ethernet) at the gate where plain arithmetic tells, else None (TCP);
# cut: the same after segmentation, which the peer sees where veth does not take GSO of UDP.
Row = namedtuple("Row", "name verb options server destinations port protocol basis witness "
                 "expected cut")


def row(name, verb, address, *options, server=None, also=(), port=9000, protocol=UDP_NUMBER,
        basis=("create", "sender"), witness="gate", expected=None, cut=None):
    return Row(name, verb, ("-a", address, "-p", port, *options), server, (address, *also),
               port if protocol not in (ICMP_NUMBER, ICMP6_NUMBER, 253) else 0, protocol, basis,
               witness, expected, cut)


def tcp(name, verb, address, *options, server="serve-tcp", protocol=TCP_NUMBER):
    return row(name, verb, address, *options, server=server, port=8080, protocol=protocol,
               basis=("connect", "create"))


ROWS = (
    tcp("tcp-v4", "tcp", HOME4, "-b", 1000, "-k", 3),
    tcp("tcp-v6", "tcp", HOME6, "-b", 1000, "-k", 3),
    tcp("tcp-mapped", "tcp", AWAY4, "-m", "-b", 1000, "-k", 3),
    tcp("tcp-bulk-gso", "tcp", AWAY4, "-b", 200000, "-k", 5),
    tcp("fastopen", "fastopen", AWAY4, "-b", 1000, "-k", 3),
    tcp("fastopen-v6", "fastopen", AWAY6, "-b", 1000, "-k", 3),
    tcp("mptcp", "mptcp", AWAY4, "-b", 1000, "-k", 3, server="serve-mptcp"),
    # SCTP tells its peer the addresses of its interfaces, so it needs one that lies on one.
    tcp("sctp", "sctp", SINK4, "-b", 1000, "-k", 3, server="serve-sctp", protocol=132),
    row("udp", "udp", AWAY4, "-b", 100, "-k", 5, expected=(5, 5 * (IPV4 + UDP + 100))),
    row("udp-v6", "udp", AWAY6, "-b", 100, "-k", 5, expected=(5, 5 * (IPV6 + UDP + 100))),
    row("udp-mapped", "udp", AWAY4, "-m", "-b", 100, "-k", 5,
        expected=(5, 5 * (IPV4 + UDP + 100))),
    row("udp-connected", "udp-connected", AWAY4, "-b", 100, "-k", 5, server="serve-udp",
        basis=("connect", "create"), expected=(5, 5 * (IPV4 + UDP + 100))),
    row("udp-two-places", "udp", AWAY4, "-2", HOME4, "-b", 100, "-k", 6, also=(HOME4,),
        expected=(6, 6 * (IPV4 + UDP + 100))),
    row("sendmmsg", "mmsg", AWAY4, "-2", HOME4, "-b", 200, "-k", 64, also=(HOME4,),
        expected=(64, 64 * (IPV4 + UDP + 200))),
    row("udp-gso", "gso", AWAY4, "-b", 1000, "-k", 10, expected=(1, IPV4 + UDP + 10000),
        cut=(10, 10 * (IPV4 + UDP + 1000))),
    row("udplite", "udplite", AWAY4, "-b", 100, "-k", 5, protocol=136,
        expected=(5, 5 * (IPV4 + UDP + 100))),
    row("icmp-raw", "icmp", AWAY4, "-b", 56, "-k", 3, protocol=ICMP_NUMBER,
        expected=(3, 3 * (IPV4 + ICMP + 56))),
    row("icmp-raw-v6", "icmp", AWAY6, "-b", 56, "-k", 3, protocol=ICMP6_NUMBER,
        expected=(3, 3 * (IPV6 + ICMP + 56))),
    row("ping-socket", "ping", AWAY4, "-b", 56, "-k", 3, protocol=ICMP_NUMBER,
        expected=(3, 3 * (IPV4 + ICMP + 56))),
    row("raw-hdrincl", "raw", AWAY4, "-b", 100, "-k", 3, protocol=253,
        expected=(3, 3 * (IPV4 + 100))),
    row("packet-socket", "packet", AWAY4, "-2", APP4, "-d", "app0", "-e", SINK_MAC, "-b", 100,
        "-k", 4, port=9, basis=("unknown", None), witness="nic",
        expected=(4, 4 * (IPV4 + UDP + 100))),
)


def exchange(box, each):
    """Send; (packets, bytes without Ethernet) that arrived at the peer, and the report."""
    if each.server:
        family = "::" if ":" in each.destinations[0] else "0.0.0.0"
        count = 0 if each.server == "serve-udp" else 1
        box.start(each.server, options=("-a", family, "-p", each.port, "-k", count))
    before = box.net.counters()
    report = box.send(each.verb, options=each.options)
    after = settled(box)
    packets = after[0] - before[0]
    return packets, after[1] - before[1] - packets * ETHERNET_BYTES, report


def settled(box):
    """The peer's counters once they have stopped moving."""
    import time
    last = box.net.counters()
    while True:
        time.sleep(0.05)
        now = box.net.counters()
        if now == last:
            return now
        last = now
