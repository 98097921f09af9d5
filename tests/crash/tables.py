# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A big table of open flows is told to its end in turns: nothing shed, nothing twice, whatever ends it."""
import glob
import os
import time

from box import HOME, Lives, Load
import harness
from harness import expect, wait_until
import oracle

WIDE_MIB, NARROW_MIB = 512, 8  # of staging: what closes a big table is many times the latter
RATE = 12000  # datagrams a second
PAYLOAD = 40
NEVER = 3600  # seconds: flows stay open


class Table:
    """An agent, and so many open flows of two datagrams each; the first of them is told in part."""

    def __init__(self, box, stall=False, interval=1, **more):
        self.box = box
        self.count = box.size(21000, 60000, 2000)
        self.lives = Lives(box, each=True, flows__idle_s=NEVER, flows__interval_s=interval,
                           journal__staging_mib=WIDE_MIB, journal__compress="false",
                           flows__table_entries=262144, **more)
        self.stall_file = os.path.join(self.lives.directory, "stall")
        if stall:
            self.lives.environment = {**os.environ, "STALL_FILE": self.stall_file, "LD_PRELOAD":
                                      os.path.abspath(os.path.join(box.build, "live", "stall.so"))}
        self.load = None

    def __enter__(self):
        self.lives.__enter__()
        return self

    def __exit__(self, *what):
        if self.load and self.load.is_running():
            self.load.process.kill()
        self.lives.__exit__(*what)

    def narrow(self, **more):
        """The next life has less room for what waits."""
        self.lives.settings.update({"journal.staging_mib": NARROW_MIB, **more})

    def fill(self, rounds=2):
        self.load = Load(self.box, "noise", "scatter", HOME[:1], k=rounds * self.count,
                         w=self.count, r=self.box.size(RATE, RATE, 500), b=PAYLOAD)
        self.load.finish(120)
        self.load = None

    def fill_and_tell(self):
        """Until every flow was opened in the journal, and what came by then was told."""
        self.fill()
        time.sleep(1.5 * harness.PATIENCE)  # an interval, and a round over the table
        status = wait_until(self._is_read, 60, "all flows to be in the table and told")
        oracle.identities(status)
        expect(not status["pipeline"]["shed"], "entries were shed before it came to the end")
        self.closing_bytes = self.bytes_on_disk() * self.count // status["journal"]["admitted"]

    def _is_read(self):
        status = self.lives.status()
        flows, told = status["pipeline"]["flows"], status["journal"]["admitted"]
        return flows >= self.count and told >= self.count and \
            status["journal"]["staged_bytes"] == 0 and status

    def bytes_on_disk(self):
        segments = glob.glob(os.path.join(self.lives.state, "journal", "*", "*.seg"))
        return sum(os.path.getsize(path) for path in segments)

    def kill_in_the_sweep(self, parts):
        """Once one of so many parts of the table has been told."""
        before, part = self.bytes_on_disk(), self.closing_bytes // parts

        def is_inside():
            expect(self.lives.process.poll() is None, "the agent ended by itself with",
                   self.lives.process.returncode, ":", self.lives.log()[-800:])
            return self.bytes_on_disk() > before + part

        end = time.monotonic() + 60 * harness.PATIENCE
        while not is_inside():
            expect(time.monotonic() < end, "the table is not being told")
            time.sleep(0.002)
        self.lives.kill()

    def stall(self, on):
        if on:
            open(self.stall_file, "w").close()
        else:
            os.unlink(self.stall_file)

    def in_sum(self, status):
        """What is not told one by one is told in sum: entries + gaps = what was sent."""
        sums, arrived = oracle.read(self.lives.state), self.box.arrived()
        expect(sums.lost("shed"), "nothing was shed: this shows nothing")
        oracle.identities(status)
        oracle.conserved(sums, status)
        over = [where for where, (packets, _) in arrived.items() if sums.packets[where] > packets]
        expect(not over, "told twice:", over[:4])
        for name, told, lost, came in (
                ("packets", sums.packets, sums.lost_packets["shed"], 0),
                ("bytes", sums.bytes, sums.lost_bytes["shed"], 1)):
            sent = sum(amounts[came] for amounts in arrived.values())
            expect(sum(told.values()) + lost == sent, sum(told.values()), name, "in entries +",
                   lost, "in gaps of", sent, "sent")
        return (f"{sums.lost('shed')} entries shed, {sums.lost_bytes['shed']} bytes in gaps, "
                f"{sum(sums.bytes.values())} in entries")

    def exact(self, changes):
        """Each flow opened once and closed once, all its bytes told, and nothing shed."""
        sums, arrived = oracle.read(self.lives.state), self.box.arrived()
        expect(sums.lost("shed") == 0, sums.lost("shed"), "entries were shed")
        expect(len(sums.downs) == changes == sums.entries["gap"], "gaps tell of", dict(sums.gaps),
               "and of", len(sums.downs), "changes, which were", changes)
        expect(len(arrived) == self.count == len(sums.lives), len(sums.lives), "flows are told of",
               self.count, ":", len(arrived), "arrived")
        oracle.in_order(sums.lives)
        amounts(sums, arrived)
        return f"{self.count} flows, {sum(sums.bytes.values())} bytes, none shed, none twice"


def amounts(sums, arrived):
    wrong = [f"{where}: {sums.packets[where]} packets, {sums.bytes[where]} bytes told of {came}"
             for where, came in arrived.items() if (sums.packets[where], sums.bytes[where]) != came]
    expect(not wrong, len(wrong), "flows are told wrongly:", "; ".join(wrong[:4]))
    strange = set(+sums.packets) - set(arrived)
    expect(not strange, "told, and never sent:", list(strange)[:4])


def layout(box, killed):
    """Another layout takes over: the old set's whole table is closed by the start."""
    with Table(box) as table:
        lives = table.lives
        lives.start()
        table.fill_and_tell()
        lives.kill()
        table.narrow()
        for _ in range(box.size(3, 10, 1) if killed else 0):
            lives.start(box.other, ready=False)
            table.kill_in_the_sweep(box.size(5, 12, 3))
        lives.start(box.other)
        lives.stop()
        lives.detach()
        return f"{lives.count} lives, {table.exact(1)}"


def detached(box, killed):
    """The agent takes everything out of the kernel as it stops."""
    with Table(box) as table:
        lives = table.lives
        lives.start()
        table.fill_and_tell()
        lives.kill()
        table.narrow(detach_at_stop="true")
        lives.start()
        if killed:
            lives.process.terminate()
            table.kill_in_the_sweep(3)
            for _ in range(box.size(1, 6, 1)):
                lives.start(ready=False)
                table.kill_in_the_sweep(10)
            lives.start()
        lives.stop()
        lives.detach()
        return f"{lives.count} lives, {table.exact(1 if killed else 0)}"


def unpinned(box):
    """Nothing outlives the agent: its own stop tells the table."""
    with Table(box, interval=NEVER, pins="") as table:
        lives = table.lives
        table.narrow()
        lives.start()
        table.fill_and_tell()
        lives.stop()
        lives.detach()
        return table.exact(0)


def stalled(box):
    """The disk stands still under load: what is shed is told with its bytes, and no byte is lost."""
    with Table(box, stall=True, detach_at_stop="true") as table:
        lives = table.lives
        table.narrow()
        lives.start()
        table.stall(True)
        table.fill(rounds=1)
        wait_until(lambda: lives.status()["pipeline"]["shed"], 20, "entries to be shed")
        lives.kill()  # what is shed and not told yet is not forgotten
        table.stall(False)
        lives.start()
        table.fill(rounds=1)
        time.sleep(1.5 * harness.PATIENCE)
        status = lives.status()
        lives.stop()
        lives.detach()
        return table.in_sum(status)


def stalled_stop(box, answers):
    """Nor can a disk that stands still hold up the stop for ever: what is left is told in sum."""
    with Table(box, stall=True, interval=NEVER) as table:
        lives = table.lives
        lives.start()
        table.fill_and_tell()
        lives.kill()
        table.narrow(detach_at_stop="true")
        lives.start()
        status = lives.status()
        table.stall(True)
        lives.process.terminate()
        if answers:
            wait_until(lambda: "does not keep up" in lives.log(), 20, "it to be said")
            time.sleep(1)
            table.stall(False)
        code = lives.process.wait(40 * harness.PATIENCE)
        expect(code == (0 if answers else 74), "the agent ended with", code, lives.log()[-800:])
        if not answers:
            table.stall(False)
            lives.start()
            lives.stop()
        lives.detach()
        return table.in_sum(status)


def both(box, case):
    """The one that shows more, and at full size the other too."""
    return "; ".join(case(box, hard) for hard in ((True, False) if box.full else (True,)))


def tests():
    yield "table-layout", lambda box: both(box, layout)
    yield "table-detached", lambda box: both(box, detached)
    yield "table-unpinned", unpinned
    yield "table-stalled", stalled
    yield "table-stalled-stop", lambda box: both(box, stalled_stop)
