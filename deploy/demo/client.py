#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A client such as an inference service might be: client.py tcp|udp ADDRESS PORT BYTES."""
import socket
import sys

kind, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
if kind == "udp":
    sender = socket.socket(family, socket.SOCK_DGRAM)
    for _ in range(count // 1000 or 1):
        sender.sendto(b"x" * min(count, 1000), (address, port))
else:
    with socket.create_connection((address, port), timeout=5) as peer:
        peer.sendall(b"POST /upload HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % count + b"x" * count)
        peer.recv(4096)
