#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""read_segment.py SEGMENT... - print the entries, written from the format's description alone."""
import struct
import sys
import zlib


def blocks(data, at):
    while at < len(data):
        magic, crc, packed = struct.unpack_from("<4sII", data, at)
        if magic != b"DMZ1" or zlib.crc32(data[at + 8:at + 24]) != crc:
            raise ValueError(f"byte {at}: damaged")
        yield zlib.decompress(data[at + 24:at + 24 + packed])
        at += (24 + packed + 7) // 8 * 8


def entries(data):
    if data[:8] != b"DEMARCJ1" or zlib.crc32(data[:1020]) != struct.unpack_from("<I", data, 1020)[0]:
        raise ValueError("not a segment")
    at = struct.unpack_from("<I", data, 12)[0]
    if struct.unpack_from("<I", data, 8)[0] == 2:
        data = data[:at] + b"".join(blocks(data, at))
    while at + 40 <= len(data):
        length, crc, sequence = struct.unpack_from("<IIQ", data, at)
        if zlib.crc32(data[at + 8:at + 40 + length]) != crc:
            raise ValueError(f"byte {at}: damaged")
        yield sequence, data[at + 40:at + 40 + length].decode()
        at += (40 + length + 7) // 8 * 8


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        for number, text in entries(file.read()):
            print(number, text)
