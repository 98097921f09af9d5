# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The journal's disk is full, or takes no writes any more: what is kept arrives, the rest is told."""
import contextlib
import os
import time

import harness
from harness import command, expect, wait_until
import ocsf
import setup
from stand import raw_entries

AWAY, HOME = "203.0.113", "198.51.100"
DISK_MIB = 32
RATE = 200


@contextlib.contextmanager
def mounted(box, name, *words):
    path = os.path.join(box.directory, name)
    os.makedirs(path)
    command("mount", *words, path)
    try:
        yield path
    finally:
        command("umount", path)


@contextlib.contextmanager
def ext4(box):
    """A file system that ends itself at the first error, as after a failing disk; and its device."""
    image = os.path.join(box.directory, "disk.img")
    with open(image, "wb") as out:
        out.truncate(DISK_MIB << 20)
    command("mkfs.ext4", "-q", "-F", image)
    device = command("losetup", "--find", "--show", image).strip()
    try:
        yield device
    finally:
        command("losetup", "--detach", device)


def fill(path, leave_kib):
    """Takes all room but so much."""
    free = os.statvfs(path)
    with open(os.path.join(path, "filler"), "wb") as out:
        left = free.f_bavail * free.f_frsize - (leave_kib << 10)
        while left > 0:
            out.write(b"\0" * min(left, 1 << 20))
            left -= 1 << 20


def told(state):
    """Destinations of alerts, and how many records the node itself calls lost."""
    entries = [entry for entry, _ in raw_entries(state)]
    places = {(ocsf.dst_ip(entry), ocsf.dst_port(entry)) for entry in entries
              if entry.get("is_alert") and ocsf.kind(entry) == "flow"}
    return len(places), sum(ocsf.lost(entry) or 0 for entry in entries)


def failing(agent):
    return agent.status()["journal"]["failing"]


def full(box):
    """It fills under load, and gets room again: bulk is refused first and told, violations wait."""
    prefix, seconds = box.prefix(), 3
    with mounted(box, "full", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs") as disk:
        with box.agent(prefix, state_directory=os.path.join(disk, "state"),
                       journal__staging_mib=4) as agent:
            box.send_many(AWAY, 0, 20, 0)
            fill(disk, 256)
            children = [box.start_sending(AWAY, 20, RATE * seconds, RATE),
                        box.start_sending(HOME, 0, 5 * RATE * seconds, 5 * RATE)]
            wait_until(lambda: failing(agent), 30, "the disk to be full")
            for child in children:
                child.wait(120)
            time.sleep(box.size(0, 60))
            expect(agent.status(), "the agent does not answer while the disk is full")
            os.unlink(os.path.join(disk, "filler"))
            wait_until(lambda: not failing(agent), 30, "the disk to take entries again")
            setup.let_idle()
            box.end(agent)
        sums = box.same(prefix, agent.state)
        box.proven(prefix)
        places, lost = told(agent.state)
    wanted = 20 + RATE * seconds
    expect(places == wanted, places, "destinations of violations told of", wanted)
    expect(lost, "nothing was refused: the test had too little load")
    return f"{sums['violations'][0]} violations, {sums['activity'][0]} activities, {lost} told as lost"


def read_only(box):
    """It ends with an error: the agent lives and says so; after a repair the next one goes on."""
    prefix = box.prefix()
    with ext4(box) as device:
        with mounted(box, "before", "-o", "errors=remount-ro", device) as disk:
            with box.agent(prefix, state_directory=os.path.join(disk, "state")) as agent:
                box.send_many(AWAY, 0, 50, 0)
                box.drained(agent)
                name = os.path.basename(device)
                with open(f"/sys/fs/ext4/{name}/trigger_fs_error", "w") as trigger:
                    trigger.write("1")
                box.send_many(AWAY, 50, 50, 0)
                wait_until(lambda: failing(agent), 30, "the disk to refuse")
                time.sleep(2)
                expect(agent.status()["kafka"]["up"], "the stream is down")
                agent.process.kill()
                agent.process.wait()
        command("e2fsck", "-p", device, check=False)
        with mounted(box, "after", device) as disk:
            state = os.path.join(disk, "state")
            settings = {**agent.settings, "state_directory": state}
            with harness.Agent(box, settings) as agent:
                box.send_many(AWAY, 100, 50, 0)
                setup.let_idle()
                box.end(agent)
            sums = box.same(prefix, state)
            box.proven(prefix)
            places, _ = told(state)
    expect(places == 150, places, "destinations told of 150: the carry has what the disk refused")
    return f"{sums['violations'][0]} violations, {places} destinations"


def tests():
    yield "disk full", full
    yield "disk read-only", read_only
