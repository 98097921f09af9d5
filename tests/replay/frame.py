#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""frame.py OUT - a recording of three lost-records entries, written from include/source.h alone."""
import struct
import sys
import zlib

GAP = 6
HEAD = "<HHIQQ"       # kind, size, cpu, sequence, time_ns
BODY = "<IIQQQQQQ"    # loss, missing_kind, count, first_sequence, from_ns, to_ns, bytes, packets
RING, FLOW = 1, 1
SECOND = 1000000000


def gap(number):
    body = struct.pack(BODY, RING, FLOW, 5 + number, 100, number * SECOND, (number + 1) * SECOND, 0, 0)
    return struct.pack(HEAD, GAP, struct.calcsize(HEAD) + len(body), 3, number,
                       (number + 1) * SECOND) + body


def main():
    header = struct.pack("<8sIIq40s64s", b"DEMARCR1", 128, 240, 1793491200000, b"b1", b"n1")
    crc = zlib.crc32(header)
    out = bytearray(header)
    for number in range(3):
        block = gap(number)
        crc = zlib.crc32(block, crc)
        out += struct.pack("<II", len(block), crc) + block
    end = struct.pack("<Q", 3)
    out += struct.pack("<II", 0, zlib.crc32(end, crc)) + end
    with open(sys.argv[1], "wb") as file:
        file.write(out)


main()
