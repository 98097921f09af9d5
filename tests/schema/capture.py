#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""capture - writes docs/schema/samples anew: real traffic, a real agent, a real broker.

    sudo tests/schema/capture.py [BUILD]

Needs what the Kafka suite needs (make kafka-broker build/live/traffic build/live/stall.so). What
is of this machine or this moment is replaced: ids and times keep their order and their distances,
paths their last component. Read what changed before it is committed.
"""
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(HERE, "..", "live"), os.path.join(HERE, "..", "kafka")]
import harness  # noqa: E402
from harness import AWAY4, AWAY6, HOME4, expect, wait_until  # noqa: E402
import ocsf  # noqa: E402
import setup  # noqa: E402
import stand  # noqa: E402

SAMPLES = os.path.join(ROOT, "docs", "schema", "samples")
BASE_MS, BASE_NS = 1793491200000, 10**12
ALERTS = (setup.ALERT, setup.RECORD,
          setup.rule("exec.seen", "record", {"process.exe": {"exists": True}}, event="exec"),
          setup.rule("fork.seen", "record", {"process.pid": {"exists": True}}, event="fork"),
          setup.rule("exit.seen", "record", {"process.pid": {"exists": True}}, event="exit"),
          setup.rule("gap.seen", "alert", {"reason": {"exists": True}}, "high", event="gap"))
PASSWD = b"root:x:0:0::/root:/bin/sh\ns\xfcd:x:1742:1742::/:/bin/sh\n"


class Normaliser:
    """The same value becomes the same stand-in, in order of appearance."""

    def __init__(self, entries):
        self.names = {}
        stamps = [entry["time"] for entry in entries]
        self.wall = min(stamps) // 1000 * 1000
        boots = [int(at) for entry in entries
                 if (at := ocsf.enrichment(entry, "event", "boot_ns")) is not None]
        self.boot = min(boots) // 10**9 * 10**9

    def stand_in(self, family, value, shape):
        known = self.names.setdefault(family, {})
        return known.setdefault(value, shape(len(known) + 1))

    def number(self, key, value):
        if key in ("pid", "ppid") and value > 1:
            return self.stand_in("pid", value, lambda n: 4000 + n)
        if key in ("cgroup", "net_ns"):
            return self.stand_in(key, value, lambda n: {"cgroup": 7000, "net_ns": 4026531840}[key] + n)
        if key.endswith("_ns"):
            return value - self.boot + BASE_NS
        if abs(value - self.wall) < 10**9:
            return value - self.wall + BASE_MS
        return value

    def text(self, key, value):
        if re.fullmatch("[0-9a-f]{32}", value):
            return self.stand_in("uid", value, lambda n: f"{n:032x}")
        if re.fullmatch("[0-9a-f]{8}-[0-9a-f-]{27}", value):
            return self.stand_in("boot", value, lambda n: f"00000000-0000-4000-8000-{n:012d}")
        if key == "policy_digest":
            return self.stand_in("digest", value, lambda n: f"{n:064x}")
        if key in ("log_name", "shard"):
            return re.sub(r"/\d{4}-\d\d-\d\d$", "/2026-11-01", value)
        if key == "uid" and value.isdigit() and len(value) > 3:
            return self.stand_in("cookie", value, lambda n: str(9000 + n))
        value = re.sub(r"/demarc-kafka-\d+(-outside)?", "/system.slice/app.service", value)
        value = re.sub(r"demarc-kafka-\d+-[a-z]+", "uplink", value)
        value = re.sub(r"case\d+\.", "demarc.", value)
        value = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:9092", value)
        return re.sub(r"(?<![\w.])/(?:tmp|root|work|home|usr)[^\s:,\"]*/", "/opt/", value)

    def plain(self, value, key=""):
        if isinstance(value, dict):
            return {name: self.plain(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each, key) for each in value]
        if isinstance(value, str):
            return self.text(key, value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(key, value)
        return value


def told(entry):
    """What the sample shows, as a word for its file's name."""
    kind = ocsf.kind(entry)
    phase = ocsf.enrichment(entry, "judgement", "phase")
    if kind in ("gap", "agent"):
        return ocsf.enrichment(entry, "event", "reason")
    if kind == "finding":
        return entry["activity_name"].lower()
    if kind == "connect":
        return entry["status_detail"]
    if kind == "exit":
        return "code" if "exit_code" in entry else "signal"
    if kind == "exec" and ocsf.enrichment(entry, "process", "user_hex"):
        return "user-bytes"
    if kind == "exec" and "_hex" in json.dumps(entry):
        return "bytes"
    if kind == "exec":
        return "seeded" if ocsf.enrichment(entry, "event", "seeded") else "seen"
    if kind == "fork":
        return "seen"
    verdict = ocsf.enrichment(entry, "judgement", "verdict")
    return f"{verdict}-{phase or ocsf.enrichment(entry, 'event', 'moment')}"


def settings(**more):
    return {"journal__findings": "true", "journal__fold_s": 2, "privacy__argv": "full",
            "journal__exec": "true", "journal__flows": "folded", **more}


def work(box, agent):
    """Violations that last, allowed flows, refusals, processes, reloads, a full table."""
    with open(os.path.join(box.directory, "bad.json"), "w") as out:
        out.write("{")
    box.start("serve-tcp", options=("-a", "::", "-p", 8080, "-k", 0, "-b", 0))
    for _ in range(6):
        for address in (AWAY4, AWAY6, HOME4):
            box.send("tcp", options=("-a", address, "-p", 8080, "-b", 500))
        time.sleep(0.7)
    box.send("tcp", options=("-a", AWAY4, "-p", 8081, "-b", 1))
    shell = box.words("exec", rest=("/bin/sh", "-c", "/bin/true; kill -9 $$"))
    subprocess.run(shell, check=False)
    shell = box.words("exec", rest=("setpriv", "--reuid=1742", "--clear-groups", "/bin/echo", os.fsdecode(b"a\xffb")))
    subprocess.run(shell, check=False)
    agent.reload()
    wait_until(lambda: "reload" in map(told, agent.entries()), 10, "the reload")
    rules = os.path.join(box.directory, "rules.json")
    good = open(rules).read()
    box.write("rules.json", "{\n")
    agent.reload()
    wait_until(lambda: "reload-failed" in map(told, agent.entries()), 10, "the failed reload")
    box.write("rules.json", good)
    box.send("spray", options=("-a", HOME4, "-k", 2000, "-b", 10))
    setup.let_idle()


def freeze(box, agent):
    """Rings run over while nobody reads."""
    agent.process.send_signal(signal.SIGSTOP)
    try:
        box.send("storm", seconds=120, options=("-a", AWAY4, "-p", 8080, "-k", 3000, "-s", 100))
    finally:
        agent.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "ring" in map(told, agent.entries()), 60, "the rings' gap")


def stall(box, prefix):
    """The disk stands still: what finds no room is shed."""
    library, flag = os.path.abspath(os.path.join(box.build, "live", "stall.so")), \
        os.path.join(box.directory, "stall")
    os.environ["LD_PRELOAD"], os.environ["STALL_FILE"] = library, flag
    try:
        agent = box.agent(prefix, **settings(journal__flows="each", journal__staging_mib=1))
        agent.start()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["STALL_FILE"]
    open(flag, "w").close()
    box.send("spray", seconds=60, options=("-a", HOME4, "-k", 4000, "-r", 2000, "-s", 4, "-b", 32))
    time.sleep(1)
    os.unlink(flag)
    wait_until(lambda: "shed" in map(told, agent.entries()), 30, "the gap of what was shed")
    agent.stop()
    return agent.entries()


def fill(box, prefix):
    """The shard of the day fills the quota: bulk is refused first."""
    with box.agent(prefix, **settings(journal__flows="each", journal__quota_mib=2,
                                      journal__reserve_mib=1, journal__compress="false")) as agent:
        box.send("spray", seconds=60, options=("-a", HOME4, "-k", 3000, "-r", 2000, "-s", 4, "-b", 32))
        setup.let_idle()
        wait_until(lambda: "quota" in map(told, agent.kept()), 30, "the gap of what was refused")
        agent.stop()
        return agent.kept()


def segment_of(agent):
    return sorted(glob.glob(os.path.join(agent.state, "journal", "**", "*.seg"), recursive=True))[-1]


def cut(box, prefix):
    """Entries that were written are cut off while no agent runs."""
    agent = box.agent(prefix, **settings(journal__compress="false"))
    agent.start()
    box.send_many("203.0.113", 0, 20, 0)
    agent.stop()
    os.truncate(segment_of(agent), 20000)
    agent.start()
    wait_until(lambda: "gone" in map(told, agent.entries()), 30, "the gap of what is gone")
    agent.stop()
    return agent.entries()


def unread(box, prefix):
    """Entries that are damaged before they are streamed."""
    agent = box.agent(prefix, **settings(kafka__brokers="127.0.0.1:1", journal__compress="false"))
    agent.start()
    box.send_many("203.0.113", 0, 20, 0)
    agent.stop()
    with open(segment_of(agent), "r+b") as data:
        data.seek(1024 + 5000)
        data.write(b"\0\0\0\0")
    with box.agent(prefix, state_directory=agent.state, **settings(kafka__brokers=box.cluster.address())) \
            as after:
        wait_until(lambda: "unread" in map(told, after.entries()), 30, "the gap of what was damaged")
        after.stop()
        return after.entries()


def stub(box):
    """What the broker never takes."""
    prefix = box.prefix(without=("violations",))
    box.cluster.create(f"{prefix}.violations.v1", 1, 1, max__message__bytes=1500)
    with box.agent(prefix, ("-X", "compression.codec=none")) as agent:
        box.send_many("203.0.113", 0, 2, 0)
        box.end(agent)
    return [json.loads(message.payload) for message in box.kcat(f"{prefix}.violations.v1")
            if message.headers.get("demarc_stub")]


def capture(box):
    prefix = box.prefix(partitions=1)
    passwd = os.path.join(box.directory, "passwd")
    with open(passwd, "wb") as out:
        out.write(PASSWD)
    agent = box.agent(prefix, rules=ALERTS, **settings(
        flows__table_entries=64, ring__bulk_bytes=65536, ring__critical_bytes=65536, passwd=passwd,
        privacy__user="full"))
    agent.start()
    work(box, agent)
    freeze(box, agent)
    agent.process.kill()
    agent.process.wait()
    agent.start()
    wait_until(lambda: "down" in map(told, agent.entries()), 30, "the gap of the time without an agent")
    box.end(agent)
    entries = agent.entries()
    beats = [json.loads(message.payload) for message in box.kcat(f"{prefix}.health.v1")]
    box.release()
    return entries + stall(box, prefix) + fill(box, prefix) + cut(box, prefix) \
        + unread(box, prefix), beats, stub(box)


def write(name, value):
    with open(os.path.join(SAMPLES, name), "w", encoding="utf-8") as out:
        out.write(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(name)


def main():
    harness.MARK = "demarc-kafka-"
    box = stand.Stand(sys.argv[1] if len(sys.argv) > 1 else "build", False)
    try:
        entries, beats, stubs = capture(box)
    finally:
        box.close()
    plain = Normaliser(entries)
    first = {}
    for entry in entries:
        first.setdefault(f"{ocsf.kind(entry)}.{told(entry)}.json", entry)
    expect(beats and stubs, len(beats), "heartbeats,", len(stubs), "stubs")
    shutil.rmtree(SAMPLES, ignore_errors=True)
    os.makedirs(SAMPLES)
    for name, entry in sorted(first.items(), key=lambda pair: pair[1]["time"]):
        write(name, plain.plain(entry))
    write("health.beat.json", plain.plain(beats[-1]))
    write("stub.too-large.json", plain.plain(stubs[0]))


if __name__ == "__main__":
    main()
