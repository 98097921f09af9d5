# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""servers - what the generators share, and those of them that listen; senders.py calls them."""
import os
import socket
import sys
import threading
import time

SOL_IP = 0
APP4 = "192.0.2.10"
FIRST_PASSED = 3  # where a service finds the listener that was made for it


def datagram(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)


def connected(address, port):
    return socket.create_connection((address, port))


def finish(sock):
    """Until the peer has read all and closed, so that no packet is left for later."""
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(65536):
        pass
    sock.close()


def older(address, port, flag):
    """Everything is open before the agent comes; then, when told, it is used."""
    stream, silent = connected(address, port), datagram()
    bound = datagram()
    bound.bind((APP4, 8701))
    server = socket.create_server((APP4, 8700))
    print("ready", flush=True)
    while not os.path.exists(flag):
        time.sleep(0.05)
    stream.send(b"x" * 1000)
    silent.sendto(b"x" * 100, (address, port + 1))
    accepted = server.accept()[0]
    accepted.send(b"answer" * 10)
    finish(accepted)
    finish(stream)
    bound.settimeout(20)
    _, peer = bound.recvfrom(99)
    bound.sendto(b"answer" * 10, peer)


def ask(address, _):
    """Of the sink: what the older listeners are asked."""
    sock = connected(address, 8700)
    while sock.recv(999):
        pass
    sock.close()
    sock = datagram()
    for _ in range(5):
        sock.sendto(b"question", (address, 8701))
        sock.settimeout(2)
        try:
            sock.recvfrom(99)
            break
        except socket.timeout:
            pass
    return {"port": sock.getsockname()[1]}


def listen(_, port):
    server = socket.create_server(("0.0.0.0", port), backlog=100)
    print("ready", flush=True)
    while True:
        server.accept()[0].close()


def serve_one(server):
    sock = server.accept()[0]
    sock.send(b"answer" * 100)
    finish(sock)


def workers(_, port, count):
    """One listens; its children accept, answer once and are gone."""
    server = socket.create_server(("0.0.0.0", port))
    children = []
    for _ in range(int(count)):
        child = os.fork()
        if child == 0:
            serve_one(server)
            os._exit(0)
        children.append(child)
    print("ready", flush=True)
    for child in children:
        os.waitpid(child, 0)
    return {"workers": children}


def activated(_, port, count):
    """One listens, as systemd does for a service; another program gets the listener by exec."""
    server = socket.create_server(("0.0.0.0", port))
    child = os.fork()
    if child == 0:
        os.dup2(server.fileno(), FIRST_PASSED)
        os.set_inheritable(FIRST_PASSED, True)  # also when it was that one already
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "senders.py")
        os.execve(sys.executable, [sys.executable, "-B", script, "service", "-", str(port), count],
                  {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
    print("ready", flush=True)
    os.waitpid(child, 0)
    return {"workers": [child]}


def service(_, port, count):
    server = socket.socket(fileno=FIRST_PASSED)
    for _ in range(int(count)):
        serve_one(server)


def fetch(address, port, count):
    """Of the sink: what a server of the app namespace is asked."""
    ports = []
    for _ in range(int(count)):
        sock = connected(address, port)
        ports.append(sock.getsockname()[1])
        while sock.recv(65536):
            pass
        sock.close()
    return {"ports": ports}


def drain(sock):
    try:
        while sock.recv(65536):
            pass
        sock.close()
    except OSError:
        pass


def accept_all(server):
    while True:
        threading.Thread(target=drain, args=(server.accept()[0],), daemon=True).start()


def answer(udp):
    """`late N` is answered after N seconds, from the address that was spoken to."""
    while True:
        data, extra, _, peer = udp.recvmsg(2000, 200)
        here = socket.inet_ntoa(extra[0][2][8:12])
        info = [(SOL_IP, 8, bytes(4) + socket.inet_aton(here) + bytes(4))]
        if data.startswith(b"late "):
            threading.Timer(float(data[5:]), udp.sendmsg, ([b"now"], info, 0, peer)).start()


def serve(_, port):
    """The sink's side of everything: TCP, MPTCP and UDP on one port."""
    kinds = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                  backlog=1000)]
    try:
        multi = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
        multi.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        multi.bind(("0.0.0.0", port + 1))
        multi.listen(9)
        kinds.append(multi)
    except OSError:
        pass
    udp = datagram()
    udp.bind(("0.0.0.0", port))
    udp.setsockopt(SOL_IP, 8, 1)
    for server in kinds:
        threading.Thread(target=accept_all, args=(server,), daemon=True).start()
    print("ready", flush=True)
    answer(udp)
