# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""peers - other tracers, for comparison in the same run, where they are installed.

auditd is left out: a rule of its own switches audit on in the kernel, and every process
born after that pays for it at each system call, even after audit is off again.
"""
import os
import shutil
import subprocess
import tempfile
import time

COUNT = ("tracepoint:syscalls:sys_enter_connect,tracepoint:syscalls:sys_enter_sendto,"
         "tracepoint:sched:sched_process_exec { @[probe] = count(); }")
PEERS = (
    ("bpftrace, counting", "bpftrace", ("-q", "-e", COUNT)),
    ("bcc tcplife", "tcplife", ()),
    ("bcc tcpconnect", "tcpconnect", ()),
    ("bcc execsnoop", "execsnoop", ()),
)
# The peers ask for these; a mount namespace of their own keeps them off the machine's.
MOUNTS = ("mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null; "
          "mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; exec \"$@\"")


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Peer:
    def __init__(self, name, path, arguments):
        self.name = name
        self.said = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", MOUNTS, "sh", path, *arguments],
            stdout=subprocess.DEVNULL, stderr=self.said, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid

    def __enter__(self):
        time.sleep(3)  # none of them says when it is attached
        if self.process.poll() is not None:
            self.said.seek(0)
            lines = self.said.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"ended with {self.process.returncode}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.said.close()


def available():
    """(those that run here: name -> constructor, the others: name -> why not)."""
    runs, absent = {}, {"auditd": "left out: it would leave audit's cost behind"}
    for name, program, arguments in PEERS:
        path = find(program)
        if not path:
            absent[name] = "not installed (make bench-peers)"
            continue
        try:
            with Peer(name, path, arguments):
                runs[name] = lambda n=name, p=path, a=arguments: Peer(n, p, a)
        except RuntimeError as error:
            absent[name] = f"does not run here: {error}"
    return runs, absent
