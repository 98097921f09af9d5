# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""senders - generators in Python: senders.py NAME ADDRESS PORT [MORE...].

Each runs in the app namespace and in the watched cgroup from its first instruction, and
prints one line of JSON: its pid, and the error that kept it from its work, if any.
"""
import array
import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time

from servers import *  # noqa: F401,F403  what is called by its name on the command line
from servers import APP4, SOL_IP, connected, datagram, finish

SOL_PACKET = 263
FRAME = bytes.fromhex("02000000000b02000000000a")


def ip_packet(source, to, protocol, inner, options=b""):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(inner), 0, 0x4000, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    words = array.array("H", head)
    words.byteswap()
    total = sum(words)
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    return head[:10] + struct.pack(">H", total) + head[12:] + inner


def udp_packet(to, port, size=50, source=APP4):
    inner = struct.pack(">HHHH", 7, port, 8 + size, 0) + b"x" * size
    return ip_packet(source, to, 17, inner)


def fastopen_connect(address, port):
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, 30, 1)
    sock.connect((address, port))
    time.sleep(0.2)
    sock.send(b"x" * 500)
    finish(sock)


def blackholed(address, port):
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 500)
    try:
        sock.connect((address, port))
    except OSError as error:
        return {"outcome": errno.errorcode[error.errno]}


def refused(address, _):
    try:
        connected(address, 81)
    except OSError as error:
        return {"outcome": errno.errorcode[error.errno]}


def spread(address, port):
    sock = datagram()
    for i in range(100):
        sock.sendto(b"x" * 40, (address, port + i))


def corked(address, port):
    sock = datagram()
    for i in range(2):
        sock.sendto(b"x" * 100, socket.MSG_MORE, (address, port))
    sock.sendto(b"x" * 100, (address, port))


def fragmented(address, port):
    sock = datagram()
    sock.setsockopt(SOL_IP, 10, 0)
    sock.sendto(b"x" * 8000, (address, port))


def raw_udp(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for _ in range(3):
        sock.sendto(udp_packet(address, port), (address, 0))


def raw_tcp(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    syn = struct.pack(">HHIIBBHHH", 1234, port, 1, 0, 0x50, 2, 100, 0, 0)
    for _ in range(3):
        sock.sendto(ip_packet(APP4, address, 6, syn), (address, 0))


def spray_tcp(address, port, count):
    """SYNs by a raw socket, each to a port of its own: none has an end of its own."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    for i in range(int(count)):
        syn = struct.pack(">HHIIBBHHH", 1234, port + i, 1, 0, 0x50, 2, 100, 0, 0)
        sock.sendto(syn, (address, 0))


def frames(address, port):
    """Honest, with wrong types beside the frame's own, and with a VLAN tag."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    for i, (told, tag) in enumerate(((0x800, b""), (0x88b5, b""), (0x86dd, b""), (0, b""),
                                     (0x8100, b"\x81\x00\x00\x05"))):
        for _ in range(2):
            sock.sendto(FRAME + tag + b"\x08\x00" + udp_packet(address, port + i), ("app0", told))


def cooked(address, port):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    for _ in range(2):
        sock.sendto(udp_packet(address, port), ("app0", 0x800, 0, 0, FRAME[:6]))


def bypass(address, port):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, 20, 1)
    for _ in range(4):
        sock.sendto(FRAME + b"\x08\x00" + udp_packet(address, port), ("app0", 0x800))


def sctp_many(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
    sock.sendto(b"x" * 200, (address, port))
    time.sleep(0.5)
    sock.close()
    time.sleep(0.2)


def source_file():
    path = f"/tmp/demarc-evasion-{os.getpid()}"
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.unlink(path)
    os.write(fd, b"f" * 100000)
    return fd


def by_sendfile(address, port):
    fd, sock = source_file(), connected(address, port)
    at = 0
    while at < 100000:
        at += os.sendfile(sock.fileno(), fd, at, 100000 - at)
    finish(sock)


def by_splice(address, port):
    fd, sock = source_file(), connected(address, port)
    out, into = os.pipe()
    at = 0
    while at < 100000:
        taken = os.splice(fd, into, 65536, at)
        at += taken
        while taken:
            taken -= os.splice(out, sock.fileno(), taken)
    finish(sock)


def by_vmsplice(address, port):
    sock = connected(address, port)
    out, into = os.pipe()
    memory = ctypes.create_string_buffer(b"v" * 50000, 50000)
    part = (ctypes.c_size_t * 2)(ctypes.addressof(memory), 50000)
    taken = ctypes.CDLL(None, use_errno=True).vmsplice(into, part, 1, 0)
    while taken > 0:
        taken -= os.splice(out, sock.fileno(), taken)
    finish(sock)


def tun(address, port):
    """Packets written into a TUN device, which the node forwards."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH", b"tun9", 0x1001))
    time.sleep(0.3)
    for _ in range(4):
        os.write(fd, udp_packet(address, port, source="198.18.9.2"))
    time.sleep(0.3)


def passed_fd(address, port):
    """One connects, the other gets the socket by SCM_RIGHTS and sends."""
    near, far = socket.socketpair()
    child = os.fork()
    if child == 0:
        _, fds, _, _ = socket.recv_fds(far, 9, 1)
        socket.socket(fileno=fds[0]).send(b"x" * 777)
        os._exit(0)
    sock = connected(address, port)
    socket.send_fds(near, [b"x"], [sock.fileno()])
    os.waitpid(child, 0)
    finish(sock)


def passed_unconnected(address, port):
    """One makes the socket, the other connects it: that one is the owner."""
    near, far = socket.socketpair()
    child = os.fork()
    if child == 0:
        _, fds, _, _ = socket.recv_fds(far, 9, 1)
        sock = socket.socket(fileno=fds[0])
        sock.connect((address, port))
        sock.send(b"x" * 777)
        finish(sock)
        os._exit(0)
    sock = socket.socket()
    socket.send_fds(near, [b"x"], [sock.fileno()])
    os.waitpid(child, 0)
    return {"pids": [child]}


def forked(address, port):
    sock = connected(address, port)
    child = os.fork()
    if child == 0:
        sock.send(b"x" * 777)
        os._exit(0)
    os.waitpid(child, 0)
    finish(sock)


def taken_fd(address, port):
    """A child takes its parent's socket by pidfd_getfd and sends."""
    libc, sock, parent = ctypes.CDLL(None, use_errno=True), connected(address, port), os.getpid()
    child = os.fork()
    if child == 0:
        pidfd = libc.syscall(434, parent, 0)
        fd = libc.syscall(438, pidfd, sock.fileno(), 0)
        os._exit(0 if fd >= 0 and os.write(fd, b"x" * 777) == 777 else 1)
    status = os.waitpid(child, 0)[1]
    finish(sock)
    return {"error": "pidfd_getfd" if status else ""}


def exec_with_socket(address, port):
    """A program inherits an open socket over exec and sends by it: one process, another program."""
    sock = datagram()
    sock.set_inheritable(True)
    os.execv(sys.executable, [sys.executable, "-B", __file__, "inherited", address, str(port),
                              str(sock.fileno())])


def inherited(address, port, fd):
    socket.socket(fileno=int(fd)).sendto(b"x" * 99, (address, port))


NAMES = (b'"},{"x":"y', b"a\nb\tc", b"\x1b[2J\x1b[31m", b"\xff\xfe\x80", "‮gpj.exe".encode(),
         b"fifteen-bytes-x", b"\\u0000\\", b"\xed\xa0\x80")


def named(address, port):
    for i, name in enumerate(NAMES):
        with open("/proc/self/comm", "wb") as comm:
            comm.write(name)
        datagram().sendto(b"x", (address, port + i))


def dccp(address, port):
    """The kernel sends the request; that nobody answers is not our business."""
    sock = socket.socket(socket.AF_INET, 6, 33)
    sock.setsockopt(269, 2, struct.pack(">I", 42))
    sock.setblocking(False)
    try:
        sock.connect((address, port))
    except BlockingIOError:
        time.sleep(0.3)


def user_namespace(address, port):
    """Root of a user namespace of its own, in the network namespace of the node."""
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        return {"tried": False, "error": errno.errorcode[ctypes.get_errno()]}
    datagram().sendto(b"x" * 60, (address, port))


def plain(address, port):
    datagram().sendto(b"x" * 60, (address, port))


def special(address, port):
    """Addresses that mean something else than a host."""
    sock = datagram()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(SOL_IP, socket.IP_MULTICAST_IF, socket.inet_aton(APP4))
    sock.setsockopt(SOL_IP, socket.IP_MULTICAST_LOOP, 0)
    for to in ("239.1.2.3", "192.0.2.255", "169.254.7.7", address):
        sock.sendto(b"x" * 30, (to, port))
    six = datagram(socket.AF_INET6)
    for to in ("64:ff9b::203.0.113.5", "2002:cb00:7105::1", "2001:0:c000:201::34ff:8efa"):
        six.sendto(b"x" * 30, (to, port))
    for to, family in (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6)):
        datagram(family).sendto(b"x" * 30, (to, port))


def reopened(address, port):
    """We speak first, fall silent until the flow is closed, the peer speaks, we go on."""
    sock = datagram()
    sock.sendto(b"late 4", (address, port))
    sock.settimeout(20)
    sock.recvfrom(99)
    sock.sendto(b"secret" * 20, (address, port))
    time.sleep(0.2)


def loopback(address, port):
    server = socket.create_server(("::", 8600), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=lambda: [server.accept()[0].close() for _ in range(3)], daemon=True).start()
    for to in ("127.0.0.1", APP4, "::1"):
        sock = connected(to, 8600)
        finish(sock)
    for to in ("127.0.0.1", "::1"):
        try:
            connected(to, 8601)
        except OSError:
            pass


def unroutable(address, port):
    sock = socket.socket()
    try:
        sock.connect(("100.64.9.9", 1))
    except OSError:
        pass
    sock.connect((address, port))
    sock.send(b"x" * 100)
    finish(sock)


def translated(_, port, asked):
    sock = connected(asked, port)
    sock.send(b"x" * 100)
    finish(sock)


def subflows(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    sock.connect((address, port))
    for _ in range(10):
        sock.send(b"x" * 3000)
        time.sleep(0.05)
    sock.shutdown(socket.SHUT_WR)
    time.sleep(0.5)


def spoofed_syns(address, port):
    """SYNs from many hosts that do not exist, to a listener and to a closed port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for i in range(40):
        source, to = f"203.0.113.{200 + i % 20}", port + i // 20
        syn = struct.pack(">HHIIBBHHH", 1000 + i, to, 1, 0, 0x50, 2, 1000, 0, 0)
        pseudo = socket.inet_aton(source) + socket.inet_aton(address) + struct.pack(">BBH", 0, 6, 20)
        total = sum(struct.unpack(">16H", pseudo + syn))
        total = (total & 0xffff) + (total >> 16)
        total = ~((total & 0xffff) + (total >> 16)) & 0xffff
        syn = syn[:16] + struct.pack(">H", total) + syn[18:]
        sock.sendto(ip_packet(source, address, 6, syn), (address, 0))


def once_a_second(address, port, count):
    for i in range(int(count)):
        time.sleep(1)
        sock = connected(address, port)
        sock.send(b"bad")
        finish(sock)


def steady(address, port, seconds):
    """1,000 datagrams a second over 10 ports, and one connection that stays."""
    sock, end, sent = datagram(), time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        for i in range(10):
            sock.sendto(b"x" * 20, (address, port + i))
            sent += 1
        time.sleep(0.01)
    return {"sent": sent}


def main():
    name, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    report = {"verb": name, "tried": True, "pid": os.getpid(), "error": ""}
    try:
        report.update(globals()[name](address, port, *sys.argv[4:]) or {})
    except OSError as error:
        report["error"] = errno.errorcode.get(error.errno, str(error))
        report["tried"] = error.errno not in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT,
                                              errno.EAFNOSUPPORT)
        print(f"# {name}: {error}", file=sys.stderr)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
