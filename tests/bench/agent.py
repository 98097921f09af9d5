# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""agent - demarc as it is measured: started, asked, weighed, stopped."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Agent:
    """All probes on, default configuration; pinned only where that is what is measured."""

    def __init__(self, box, pinned=False, fresh=True, ready=True, stdout=subprocess.DEVNULL,
                 settings=(), arguments=("--quiet",)):
        self.box, self.ready, self.pinned = box, ready, pinned
        self.state = os.path.join(box.work, "state")
        self.runtime = os.path.join(box.runtime, "demarc")
        if fresh:
            for folder in (self.state, self.runtime):
                shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(self.runtime, mode=0o700, exist_ok=True)
        self.identity = ["--set", f"runtime_directory={self.runtime}", "--set", "instance=bench"]
        words = [box.demarc, "run", *arguments, "--config", os.path.join(box.work, "empty.json"),
                 *self.identity]
        for setting in (f"scope={box.scope}", f"state_directory={self.state}",
                        f"pins={box.pins if pinned else ''}", "nic.interfaces=b0",
                        f"nic.netns=/run/netns/{box.app}", "log.level=error",
                        f"place.overrides={box.work}/places.csv", "place.as_public=reserved",
                        *settings):
            words += ["--set", setting]
        self.process = subprocess.Popen(words, stdout=stdout, stdin=subprocess.DEVNULL)
        self.pid = self.process.pid

    def __enter__(self):
        end = time.monotonic() + 30
        while self.ready and not self.status():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise RuntimeError("the agent did not start")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.pinned:
            self.detach()

    def detach(self):
        subprocess.run([self.box.demarc, "detach", "--config",
                        os.path.join(self.box.work, "empty.json"), *self.identity,
                        "--set", f"pins={self.box.pins}",
                        "--set", "nic.interfaces=b0",
                        "--set", f"nic.netns=/run/netns/{self.box.app}"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def status(self):
        done = subprocess.run([self.box.demarc, "status", "--json", *self.identity],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def settle(self, seconds=15):
        """Until it has read everything and all that it admitted is on disk."""
        before, end = None, time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.4)
            status = self.status()
            now = status and (status["pipeline"]["records"], status["journal"]["acknowledged"])
            if now and now == before:
                return status
            before = now
        return self.status()

    def memory_kib(self):
        with open(f"/proc/{self.pid}/status") as status:
            found = dict(re.findall(r"^(VmHWM|RssAnon|RssFile|RssShmem):\s+(\d+) kB", status.read(),
                                    re.M))
        return {name: int(value) for name, value in found.items()}

    def mapped_kib(self):
        """Of the resident size: mappings of rings and other maps, which are the kernel's memory."""
        total, is_map = 0, False
        with open(f"/proc/{self.pid}/smaps") as smaps:
            for line in smaps:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    is_map = "bpf-map" in line or "bpf_map" in line
                elif is_map and line.startswith("Rss:"):
                    total += int(line.split()[1])
        return total

    def map_bytes(self):
        """What the kernel accounts for the maps that the agent holds, each once."""
        maps, folder = {}, f"/proc/{self.pid}/fdinfo"
        for name in os.listdir(folder):
            with open(os.path.join(folder, name)) as info:
                text = info.read()
            number = re.search(r"^map_id:\s+(\d+)", text, re.M)
            bytes_ = re.search(r"^memlock:\s+(\d+)", text, re.M)
            if number and bytes_:
                maps[number[1]] = int(bytes_[1])
        return sum(maps.values())
