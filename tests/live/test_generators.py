# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The sandbox itself, without an agent: what arrives at the peer is what was sent, to the byte.

Without this an error of the harness would look like one of demarc.
"""
from harness import AWAY4, HOME4, HOME6, expect, needs
import transports


def arrives(row):
    def test(box):
        if row.expected is None:
            raise AssertionError("a row for this test says what is expected")
        packets, size, report = transports.exchange(box, row)
        needs(report)
        expect(report["sent"] > 0, "nothing was sent:", report)
        expect((packets, size) in (row.expected, row.cut), "arrived", (packets, size), "of", row.expected)
        return f"{packets} packets, {size} bytes"
    return test


def quiet(box):
    """Nothing crosses the veth unasked."""
    import time
    before = box.net.counters()
    time.sleep(1)
    expect(box.net.counters() == before, "the veth carries traffic that no test sent")


def both_ways(box):
    box.start("serve-tcp", options=("-a", "::", "-p", 8080, "-k", 3))
    for address in (HOME4, AWAY4, HOME6):
        report = box.send("tcp", options=("-a", address, "-p", 8080))
        expect(report["received"] == 100, address, "did not answer:", report)


def tests():
    yield "sandbox-is-quiet", quiet
    yield "sandbox-answers", both_ways
    for row in transports.ROWS:
        if row.expected is not None:
            yield f"arrives-{row.name}", arrives(row)
