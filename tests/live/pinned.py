# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""pinned - what an agent left in a BPF file system, looked at from outside by bpf(2)."""
import ctypes
import os
import platform
import struct
import time

import harness

BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
LOOKUP, UPDATE, OBJ_GET, PROG_NEXT, MAP_NEXT, LINK_NEXT, LINK_DETACH = 1, 2, 7, 11, 12, 31, 34

# Members of struct wire_settings, and of struct wire_sum.
SILENT, GENERATION, SET, BUILD, SILENCED, SETTINGS_BYTES = 32, 36, 40, 48, 80, 104
SUM_BYTES, PACKETS, TOTALS, GATE = 32, 8, 14, 0

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    """The system call; its answer and the attributes as it left them."""
    room = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    answer = libc.syscall(BPF, command, room, 128)
    return answer, room.raw


def ids():
    """Every program, map and link there is, by number."""
    found = set()
    for command in (PROG_NEXT, MAP_NEXT, LINK_NEXT):
        number = 0
        while True:
            answer, room = bpf(command, struct.pack("<II", number, 0))
            if answer < 0:
                break
            number = struct.unpack_from("<I", room, 4)[0]
            found.add((command, number))
    return found


def get(path):
    """A descriptor of what is pinned there."""
    name = ctypes.create_string_buffer(path.encode())
    fd, _ = bpf(OBJ_GET, struct.pack("<QII", ctypes.addressof(name), 0, 0))
    harness.expect(fd >= 0, path, "cannot be opened")
    return fd


def detach_link(path):
    """Take the link from its cgroup, though others hold it."""
    fd = get(path)
    answer, _ = bpf(LINK_DETACH, struct.pack("<I", fd))
    os.close(fd)
    harness.expect(answer == 0, path, "cannot be detached")


class Map:
    """A pinned array, element by element."""

    def __init__(self, path, value_bytes):
        self.fd = get(path)
        self.value_bytes = value_bytes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def _call(self, command, key, value):
        index = ctypes.c_uint32(key)
        return bpf(command, struct.pack("<IIQQQ", self.fd, 0, ctypes.addressof(index),
                                        ctypes.addressof(value), 0))[0]

    def read(self, key=0):
        value = ctypes.create_string_buffer(4096)
        return value.raw[:self.value_bytes] if self._call(LOOKUP, key, value) == 0 else None

    def write(self, bytes_, key=0):
        value = ctypes.create_string_buffer(bytes_, 4096)
        harness.expect(self._call(UPDATE, key, value) == 0, "the map takes no new value")


class Folder:
    """The folder of one instance."""

    def __init__(self, pins, instance="default"):
        self.path = os.path.join(pins, instance)

    def sets(self):
        return sorted(os.listdir(self.path)) if os.path.isdir(self.path) else []

    def names(self, name, prefix):
        return sorted(pin for pin in os.listdir(os.path.join(self.path, name))
                      if pin.startswith(prefix))

    def settings(self, name):
        with Map(os.path.join(self.path, name, "map_settings"), SETTINGS_BYTES) as settings:
            raw = settings.read()
        silent, generation = struct.unpack_from("<II", raw, SILENT)
        number, build = struct.unpack_from("<QQ", raw, SET)
        return {"silent": silent, "generation": generation, "set": number, "build": build}

    def _write(self, name, **members):
        with Map(os.path.join(self.path, name, "map_settings"), SETTINGS_BYTES) as settings:
            raw = bytearray(settings.read())
            for form, at, value in members.values():
                struct.pack_into(form, raw, at, value)
            settings.write(bytes(raw))

    def pretend_build(self, name, build):
        """As if other programs had been attached; 0: as if the start had been killed."""
        self._write(name, build=("<Q", BUILD, build))

    def pretend_silent(self, name):
        """As if its agent had been killed after it ended the counting, before it had told the end."""
        self._write(name, silent=("<I", SILENT, 1),
                    since=("<Q", SILENCED, time.clock_gettime_ns(time.CLOCK_BOOTTIME)))

    def packets(self, name):
        """Packets that the gate counted, on all CPUs."""
        total, cpu = 0, 0
        with Map(os.path.join(self.path, name, "map_totals"), SUM_BYTES) as totals:
            while (raw := totals.read(cpu * TOTALS + GATE)) is not None:
                total += struct.unpack_from("<Q", raw, PACKETS)[0]
                cpu += 1
        return total
