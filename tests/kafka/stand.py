# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""stand - the sandbox of the Kafka suite: the live tests' one, a broker, consumers that are not ours."""
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
import harness  # noqa: E402
from harness import expect, wait_until  # noqa: E402
import ocsf  # noqa: E402
import setup  # noqa: E402
import broker  # noqa: E402

CLUSTER, NODE = "eu-1", "gpu-01"
ENTRY_TOPICS = ("violations", "activity", "evidence")
TOPICS = (*ENTRY_TOPICS, "health")
CLASS_NAMES = {1007: "process_activity", 1008: "event_log_actvity", 4001: "network_activity"}


class Message:
    """What kcat -J or the Java client printed."""

    def __init__(self, line):
        fields = json.loads(line)
        pairs = fields.get("headers") or []
        self.headers = dict(zip(pairs[::2], pairs[1::2]))
        self.key, self.payload = fields["key"], fields["payload"]
        self.topic, self.partition = fields["topic"], fields["partition"]
        self.offset, self.ts = fields["offset"], fields["ts"]

    def __eq__(self, other):
        return (self.headers, self.key, self.payload, self.partition, self.offset) == \
            (other.headers, other.key, other.payload, other.partition, other.offset)


def raw_entries(state):
    """Every entry of the journal as it is on disk: (log_name, sequence, text), in order."""
    found = []
    for folder, _, names in os.walk(os.path.join(state, "journal")):
        for name in sorted(names):
            if not name.endswith(".seg"):
                continue
            with open(os.path.join(folder, name), "rb") as segment:
                data = segment.read()
            at, = harness.struct.unpack_from("<I", data, 12)
            data = harness.unpacked(data, at)
            while at + harness.FRAME.size <= len(data):
                length = harness.FRAME.unpack_from(data, at)[0]
                if not length:
                    break
                begin = at + harness.FRAME.size
                found.append(data[begin:begin + length].decode())
                at += -(-(harness.FRAME.size + length) // harness.FRAME_ALIGN) * harness.FRAME_ALIGN
    # After a crash a frame may stand twice, in the same bytes.
    entries = [(json.loads(text), text) for text in dict.fromkeys(found)]
    return sorted(entries, key=lambda pair: (pair[0]["metadata"]["log_name"],
                                             pair[0]["metadata"]["sequence"]))


def topics_of(entry):
    """By docs/analyst.md."""
    if ocsf.kind(entry) == "gap":
        missing = ocsf.enrichment(entry, "event", "missing")
        return ("evidence",) if missing == "agent" else ENTRY_TOPICS
    if entry["class_uid"] == 1008:
        return ("evidence",)
    return ("violations",) if entry.get("is_alert") else ("activity",)


def first_arrivals(messages):
    """Without repeats, which their ids tell."""
    seen, found = set(), []
    for message in messages:
        if message.headers["ce_id"] not in seen:
            seen.add(message.headers["ce_id"])
            found.append(message)
    return found


class Stand(harness.Sandbox):
    def __init__(self, build, full):
        super().__init__(build)
        self.build, self.full, self.count = build, full, 0
        self.work = os.path.join(ROOT, build, "kafka", "run")
        self.pour_program = os.path.join(build, "kafka", "pour")
        shutil.rmtree(self.work, ignore_errors=True)
        self.cluster = self.open_cluster("one")

    def open_cluster(self, name, **more):
        cluster = broker.Cluster(os.path.join(ROOT, "build"), os.path.join(self.work, name), **more)
        return cluster.__enter__().start()

    def close(self):
        if hasattr(self, "cluster"):
            self.cluster.close()
        super().close()

    def size(self, reduced, full):
        return full if self.full else reduced

    def prefix(self, cluster=None, without=(), partitions=2, copies=1, **settings):
        """Topics of their own for one test."""
        self.count += 1
        prefix = f"case{self.count}"
        for name in TOPICS:
            if name not in without:
                (cluster or self.cluster).create(f"{prefix}.{name}.v1", partitions, copies,
                                                 **settings)
        return prefix

    def settings(self, prefix, rules=(setup.ALERT, setup.RECORD), brokers=None, **more):
        return {**setup.base(self, setup.rule_file(*rules)), "cluster": CLUSTER, "node": NODE,
                "kafka.brokers": brokers or self.cluster.address(), "kafka.topic_prefix": prefix,
                "kafka.health_s": 1, "journal.flows": "each",
                **{key.replace("__", "."): value for key, value in more.items()}}

    def agent(self, prefix, arguments=(), **more):
        """It looks five times a second whether a broker is up, so that the tests need not wait."""
        return harness.Agent(self, self.settings(prefix, **more),
                             ("-X", "statistics.interval.ms=200", *arguments))

    def send_many(self, network, first, count, rate, seconds=120, payload=10):
        """Wall times in ns at which each left."""
        words = self.words("exec", rest=(sys.executable, os.path.join(HERE, "send.py"), network,
                                         first, count, rate, payload))
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, timeout=seconds, check=True)
        return [int(line) for line in done.stdout.split()]

    def start_sending(self, network, first, count, rate):
        words = self.words("exec", rest=(sys.executable, os.path.join(HERE, "send.py"), network,
                                         first, count, rate))
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        child.stdout = open(os.devnull)  # release() closes it
        self.children.append(child)
        return child

    # Consumers

    def kcat(self, topic, *more, address=None):
        done = subprocess.run(
            ["kcat", "-C", "-b", address or self.cluster.address(), "-t", topic, "-o", "beginning",
             "-e", "-q", "-J", "-X", "fetch.wait.max.ms=20", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        expect(done.returncode == 0, "kcat:", done.stderr.decode())
        return [Message(line) for line in done.stdout.splitlines()]

    def java(self, topic):
        return [Message(line) for line in self.cluster.tool("read", topic)]

    def audit(self, prefix, *more, brokers=None):
        """Exit status and report."""
        words = [self.demarc, "audit-stream", "--brokers", brokers or self.cluster.address(),
                 "--json", *more]
        for name in TOPICS:
            words += ["--topic", f"{prefix}.{name}.v1"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120)
        return done.returncode, json.loads(done.stdout or "{}")

    def proven(self, prefix, **more):
        code, report = self.audit(prefix, **more)
        expect(code == 0, "audit-stream ended with", code, report)
        return report

    # What must hold

    def drained(self, agent, seconds=60):
        """Until the broker has all that the journal has."""
        def is_drained():
            expect(agent.process.poll() is None, "the agent ended:", agent.tail())
            status = agent.status(check=False) or {}
            state, journal = status.get("kafka"), status.get("journal")
            return state and state["up"] and not journal["waiting"] and all(
                topic["log_name"] == journal["shard"] and not topic["in_flight"] and
                topic["next_sequence"] == journal["next_sequence"] for topic in state["topics"][:3])
        try:
            wait_until(is_drained, seconds, "the stream to drain")
        except harness.Failure as failure:
            raise harness.Failure(f"{failure}: {(agent.status() or {}).get('kafka')} "
                                  f"{agent.tail()}") from None

    def end(self, agent, seconds=60):
        """The agent ends when all is told."""
        time.sleep(0.3)  # what was sent last is in the journal by then
        self.drained(agent, seconds)
        expect(agent.stop() == 0, "the agent ended badly:", agent.tail())

    def same(self, prefix, state, address=None):
        """Each topic holds the journal's own bytes, in the journal's order, with the right headers."""
        entries = raw_entries(state)
        expect(entries, "the journal is empty")
        sums = {}
        for name in ENTRY_TOPICS:
            messages = self.kcat(f"{prefix}.{name}.v1", address=address)
            wanted = [pair for pair in entries if name in topics_of(pair[0])]
            arrived = first_arrivals(messages)
            expect([m.payload for m in arrived] == [text for _, text in wanted],
                   differences(name, arrived, wanted))
            check_headers(arrived, wanted)
            sums[name] = len(arrived), len(messages) - len(arrived)
        return sums


def differences(name, messages, entries):
    arrived = [message.headers["ce_id"] for message in messages]
    kept = [entry["metadata"]["uid"] for entry, _ in entries]
    places = {uid: entry["metadata"]["sequence"] for (entry, _), uid in zip(entries, kept)}
    missing = [places[uid] for uid in kept if uid not in set(arrived)]
    more = [uid for uid in arrived if uid not in places]
    return (f"{name}: {len(arrived)} arrived of {len(kept)} in the journal; missing {missing[:9]}, "
            f"unknown {more[:3]}, " + ("in another order" if sorted(arrived) == sorted(kept) and
                                       arrived != kept else "in order"))


def check_headers(messages, entries):
    ordinals = {}
    for message, (entry, _) in zip(messages, entries):
        metadata, headers = entry["metadata"], dict(message.headers)
        ordinal = ordinals.get(metadata["log_name"], 0)
        ordinals[metadata["log_name"]] = ordinal + 1
        class_uid = entry["class_uid"]
        wanted = {
            "content-type": "application/json", "ce_specversion": "1.0", "ce_id": metadata["uid"],
            "ce_source": f"//{CLUSTER}/{NODE}", "ce_type": f"io.demarc.ocsf.{class_uid}.v1",
            "ce_dataschema": f"https://schema.ocsf.io/1.8.0/classes/{CLASS_NAMES[class_uid]}",
            "ocsf_class_uid": str(class_uid), "severity_id": str(entry["severity_id"]),
            "demarc_log_name": metadata["log_name"], "demarc_sequence": str(metadata["sequence"]),
            "demarc_topic_sequence": str(ordinal)}
        rule = ocsf.rule_id(entry)
        if rule:
            wanted["rule_uid"] = rule
        told = time.strptime(headers.pop("ce_time", "")[:19], "%Y-%m-%dT%H:%M:%S")
        expect(headers == wanted, "headers", headers, "for", wanted)
        expect(abs(harness_time(told) - entry["time"]) < 1000, "ce_time", told, entry["time"])
        expect(message.key == f"{CLUSTER}/{NODE}", "key", message.key)


def harness_time(told):
    import calendar
    return calendar.timegm(told) * 1000
