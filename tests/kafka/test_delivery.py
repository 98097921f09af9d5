# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What leaves the machine arrives: the journal's bytes, in order, valid, soon."""
import json
import os
import subprocess
import threading
import time

from harness import AWAY4, HOME4, expect, wait_until
import ocsf
import setup
from stand import ENTRY_TOPICS, ROOT, raw_entries

AWAY, HOME = "203.0.113", "198.51.100"


def whole(box):
    """Real packets, agent, broker; kcat and the Java client see the same, and OCSF validates all."""
    prefix = box.prefix()
    with box.agent(prefix) as agent:
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", 8080, "-k", 0, "-b", 0))
        for address in (AWAY4, HOME4):
            box.send("tcp", options=("-a", address, "-p", 8080, "-b", 500))
        box.send_many(AWAY, 0, 40, 0)
        box.send_many(HOME, 0, 60, 0)
        box.send("tcp", options=("-a", AWAY4, "-p", 8081, "-b", 1))  # refused
        setup.let_idle()
        box.end(agent)
    sums = box.same(prefix, agent.state)
    expect(sums["violations"][0] >= 40 and sums["activity"][0] >= 60, sums)
    for name in ENTRY_TOPICS:
        topic = f"{prefix}.{name}.v1"
        expect(box.kcat(topic) == box.java(topic), "kcat and Java differ about", topic)
    validate(box, prefix)
    report = box.proven(prefix)
    expect(all(shard["is_whole"] for shard in report["shards"]), report)
    beats = [json.loads(message.payload) for message in box.kcat(f"{prefix}.health.v1")]
    expect(beats and all(beat["schema"] == "demarc.health.v1" for beat in beats), beats)
    return f"{sum(pair[0] for pair in sums.values())} messages valid, {len(beats)} heartbeats"


def validate(box, prefix):
    path = os.path.join(box.directory, "events.jsonl")
    count = 0
    with open(path, "w", encoding="utf-8") as out:
        for name in ENTRY_TOPICS:
            for message in box.kcat(f"{prefix}.{name}.v1"):
                out.write(message.payload + "\n")
                count += 1
    done = subprocess.run(
        ["/usr/bin/python3", os.path.join(ROOT, "tests", "schema", "validate.py"),
         os.path.join(ROOT, "docs", "schema"), path], stdout=subprocess.PIPE, text=True)
    expect(done.stdout.splitlines()[-1] == f"{count} good, 0 bad", done.stdout[-800:])


def tail(box):
    """demarc tail shows the topic as the agent showed its alerts; --json gives the bytes."""
    prefix = box.prefix()
    with box.agent(prefix) as agent:
        box.send_many(AWAY, 0, 5, 0)
        box.end(agent)
    words = [box.demarc, "tail", "--no-follow"]
    topic = [f"{prefix}.violations.v1", "--brokers", box.cluster.address(), "--from", "beginning"]
    told = [text for entry, text in raw_entries(agent.state) if "violations" in topics(entry)]
    for place in (topic, ["--journal", os.path.join(agent.state, "journal")]):
        said = subprocess.run(words + place, stdout=subprocess.PIPE, text=True, timeout=30).stdout
        expect(sum("203.0.113." in line for line in said.splitlines()) >= 5, place, said)
    said = subprocess.run([*words, "--json", *topic], stdout=subprocess.PIPE, text=True, timeout=30)
    expect(said.stdout.splitlines() == told, "tail --json is not the journal's bytes")


def topics(entry):
    from stand import topics_of
    return topics_of(entry)


def storm(box, count):
    """By a program that was started in the scope, so that all its connections have the same owner."""
    sender = box.words("storm", options=("-a", AWAY4, "-p", 8080, "-k", count, "-s", 1))
    done = subprocess.run(box.words("exec", rest=sender), stdout=subprocess.PIPE, text=True,
                          timeout=120, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def repeats(box):
    """One violation ten thousand times: one open, updates with exact counts, one close."""
    prefix, count = box.prefix(), 10000
    with box.agent(prefix, journal__flows="folded", journal__fold_s=2) as agent:
        box.start("serve-tcp", options=("-a", "0.0.0.0", "-p", 8080, "-k", 0, "-b", 0))
        made = storm(box, count)
        expect(made["sent"] == count, made)
        setup.let_idle()
        box.end(agent)
    alerts = [json.loads(message.payload) for message in box.kcat(f"{prefix}.violations.v1")]
    phases = {}
    for entry in alerts:
        if ocsf.kind(entry) == "flow":
            phases.setdefault(ocsf.enrichment(entry, "judgement", "phase"), []).append(entry)
    expect(len(phases.get("open", [])) == 1 and len(phases.get("close", [])) == 1,
           {phase: len(each) for phase, each in phases.items()})
    expect(len(alerts) < 60, len(alerts), "messages for one violation")
    report = box.proven(prefix)
    last = phases["close"][0].get("count")
    lost = sum(ocsf.lost(entry) or 0 for entry in alerts)
    expect(last + lost >= count, "the close counts", last, "and", lost, "lost of", count)
    return f"{len(alerts)} messages, the close says x{last}, {report['verdict']}"


def latency(box):
    """From the packet's departure to the consumer's standard output."""
    prefix, count = box.prefix(partitions=1), box.size(300, 2000)
    arrived, network = {}, "203.0.113"
    with box.agent(prefix) as agent:
        consumer = subprocess.Popen(
            ["kcat", "-C", "-b", box.cluster.address(), "-t", f"{prefix}.violations.v1", "-o",
             "beginning", "-q", "-u", "-X", "fetch.wait.max.ms=10"], stdout=subprocess.PIPE, text=True)
        box.children.append(consumer)

        def take():
            for line in consumer.stdout:
                now, entry = time.time_ns(), json.loads(line)
                if ocsf.moment(entry) == "open" and ocsf.kind(entry) == "flow":
                    arrived.setdefault((ocsf.dst_ip(entry), ocsf.dst_port(entry)), now)

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        box.send_many(network, 100000, 20, 20)  # all is warm by then
        sent = box.send_many(network, 0, count, 100)
        wait_until(lambda: len(arrived) >= count + 20, 30, "all to arrive")
        consumer.kill()
        box.end(agent)
    delays = sorted((arrived[f"{network}.{1 + n % 250}", 1024 + n // 250] - at) / 1e6
                    for n, at in enumerate(sent))
    p50, p99 = delays[len(delays) // 2], delays[len(delays) * 99 // 100]
    with open(os.path.join(box.work, "latency.json"), "w") as out:
        json.dump({"count": count, "p50_ms": p50, "p99_ms": p99, "most_ms": delays[-1]}, out)
    expect(p99 <= 200, f"p99 is {p99:.1f} ms")
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {delays[-1]:.1f} ms of {count}"


def tests():
    yield "end to end", whole
    yield "tail", tail
    yield "ten thousand repeats", repeats
    yield "packet to consumer", latency
