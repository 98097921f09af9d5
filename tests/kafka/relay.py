# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""relay - a broker's loopback port, offered in another network namespace at another address."""
import ctypes
import os
import socket
import threading


class Relay:
    """Connections to address:port inside the namespace go to 127.0.0.1:port outside."""

    def __init__(self, netns, address, port):
        self.port, self.listener = port, None
        self.ends = []
        # A socket belongs to the namespace in which its thread made it.
        maker = threading.Thread(target=self._listen, args=(netns, address))
        maker.start()
        maker.join()
        if not self.listener:
            raise RuntimeError(f"cannot listen at {address}:{port} in {netns}")
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in (self.listener, *self.ends):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _listen(self, netns, address):
        place = os.open(netns, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(place, 0):
                return
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, self.port))
            listener.listen()
            self.listener = listener
        finally:
            os.close(place)

    def _accept(self):
        while True:
            try:
                inside, _ = self.listener.accept()
                outside = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            self.ends += [inside, outside]
            for pair in ((inside, outside), (outside, inside)):
                threading.Thread(target=copy, args=pair, daemon=True).start()


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
