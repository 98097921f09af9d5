# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""send.py NETWORK FIRST COUNT RATE [BYTES]: a datagram to each of COUNT destinations in turn.

NETWORK is the first three parts of an address. Each pair of address and port is a destination of
its own, and so a flow of its own; the FIRSTth comes first. With RATE 0 as fast as can be. Says
when each was sent (CLOCK_REALTIME, ns), one a line, when COUNT is at most 10000.
"""
import socket
import sys
import time

network, first, count, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
payload = b"d" * int(sys.argv[5] if len(sys.argv) > 5 else 10)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
times = []
began = time.monotonic()
for number in range(count):
    place = first + number
    if rate:
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
    times.append(time.time_ns())
    sender.sendto(payload, (f"{network}.{1 + place % 250}", 1024 + place // 250))
if count <= 10000:
    print("\n".join(map(str, times)))
