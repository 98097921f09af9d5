# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Brokers that are not there, freeze, die, move; topics that are refused; an agent that is killed."""
import json
import os
import random
import signal
import time

import harness
from harness import expect, wait_until
import ocsf
import setup
from stand import ENTRY_TOPICS, first_arrivals, raw_entries, topics_of

AWAY, HOME = "203.0.113", "198.51.100"


def load(box, seconds, rate=300, first=0):
    """Violations and what is allowed, for so long."""
    return [box.start_sending(AWAY, first, rate * seconds, rate),
            box.start_sending(HOME, first, rate * seconds, rate)]


def let_end(children):
    for child in children:
        child.wait(300)


def summary(sums):
    return ", ".join(f"{name} {count} (+{more} repeated)" for name, (count, more) in sums.items())


def restart(node):
    node.start()
    node.wait()


def down_at_first(box):
    """No broker at the start; it comes, goes by kill -9 under load, and comes again."""
    prefix, node = box.prefix(), box.cluster.nodes[0]
    node.kill()
    try:
        with box.agent(prefix) as agent:
            children = load(box, box.size(3, 60))
            time.sleep(box.size(1, 10))
            expect(agent.status(), "the agent does not answer without a broker")
            restart(node)
            box.drained(agent)
            let_end(children)
            node.kill()
            children = load(box, box.size(2, 30), first=100000)
            let_end(children)
            restart(node)
            box.end(agent, 120)
    finally:
        if node.process.poll() is not None:
            restart(node)
    sums = box.same(prefix, agent.state)
    box.proven(prefix)
    return summary(sums)


def frozen(box):
    """SIGSTOP: connections stand, nothing answers."""
    prefix, node = box.prefix(), box.cluster.nodes[0]
    with box.agent(prefix) as agent:
        children = load(box, box.size(4, 40))
        time.sleep(1)
        node.signal(signal.SIGSTOP)
        try:
            time.sleep(box.size(2, 30))
            expect(agent.status(), "the agent does not answer while the broker is frozen")
        finally:
            node.signal(signal.SIGCONT)
        let_end(children)
        box.end(agent, 120)
    sums = box.same(prefix, agent.state)
    box.proven(prefix)
    return summary(sums)


def leader_moves(box):
    """Three nodes; the leader of the partition dies, and comes back."""
    cluster = box.open_cluster("three", nodes=3)
    try:
        prefix = box.prefix(cluster, partitions=1, copies=3, min__insync__replicas=2)
        with box.agent(prefix, brokers=cluster.address()) as agent:
            children = load(box, 40)
            for _ in range(2):
                time.sleep(5)
                number = int(cluster.tool("leader", f"{prefix}.violations.v1")[0])
                node = cluster.nodes[number - 1]
                cluster.end_tool()
                node.kill()
                time.sleep(8)
                restart(node)
            let_end(children)
            box.end(agent, 120)
        sums = box.same(prefix, agent.state, address=cluster.address())
        box.proven(prefix, brokers=cluster.address())
        return summary(sums)
    finally:
        cluster.close()


def topic_missing(box):
    """A topic that does not exist holds up no other, and gets all of it when it is made."""
    prefix = box.prefix(without=("violations",))
    with box.agent(prefix) as agent:
        box.send_many(AWAY, 0, 20, 0)
        box.send_many(HOME, 0, 20, 0)

        def others():
            rows = {row["topic"]: row for row in agent.status()["kafka"]["topics"]}
            return rows[f"{prefix}.violations.v1"]["error"] and \
                rows[f"{prefix}.activity.v1"]["acked"] >= 20 and \
                not rows[f"{prefix}.activity.v1"]["lag"]
        wait_until(others, 40, f"the other topics to flow: {agent.status()['kafka']}")
        box.cluster.create(f"{prefix}.violations.v1")
        box.end(agent, 90)
    sums = box.same(prefix, agent.state)
    box.proven(prefix)
    return summary(sums)


def not_authorised(box):
    """The same with a topic that this user may not write to."""
    prefix = box.prefix()
    certificates = box.cluster.certificates
    path = box.write("user.properties", f"security.protocol=sasl_ssl\nsasl.mechanism=PLAIN\n"
                     f"sasl.username=agent\nsasl.password=first-password\n"
                     f"ssl.ca.location={certificates}/ca.pem\n")
    box.cluster.tool("deny", "agent", f"{prefix}.violations.v1")
    with box.agent(prefix, brokers=box.cluster.address("SASL"), kafka__properties_file=path) as agent:
        box.send_many(AWAY, 0, 20, 0)
        box.send_many(HOME, 0, 20, 0)

        def others():
            rows = {row["topic"]: row for row in agent.status()["kafka"]["topics"]}
            return "uthoriz" in rows[f"{prefix}.violations.v1"]["error"] and \
                rows[f"{prefix}.activity.v1"]["acked"] >= 20
        wait_until(others, 40, f"the other topics to flow: {agent.status()['kafka']}")
        box.cluster.tool("permit")
        box.end(agent, 90)
    sums = box.same(prefix, agent.state)
    box.proven(prefix)
    return summary(sums)


def too_large(box):
    """What the broker never takes is kept beside, with the reason; a stub keeps its place."""
    prefix = box.prefix(without=("violations",))
    box.cluster.create(f"{prefix}.violations.v1", 1, 1, max__message__bytes=1500)
    with box.agent(prefix, ("-X", "compression.codec=none")) as agent:
        box.send_many(AWAY, 0, 6, 0)
        box.end(agent)
    messages = box.kcat(f"{prefix}.violations.v1")
    stubs = [m for m in messages if m.headers.get("demarc_stub") == "1"]
    expect(stubs, "no stub:", agent.status(check=False), [len(m.payload) for m in messages])
    path = os.path.join(agent.state, "stream", "dead-letters.jsonl")
    with open(path, encoding="utf-8") as lines:
        letters = [json.loads(line) for line in lines]
    kept = {letter["entry"]["metadata"]["uid"] for letter in letters}
    expect({m.headers["ce_id"] for m in stubs} <= kept, "stubs without a letter", letters)
    wanted = [entry["metadata"]["uid"] for entry, _ in raw_entries(agent.state)
              if "violations" in topics_of(entry)]
    expect([m.headers["ce_id"] for m in first_arrivals(messages)] == wanted, "another order")
    report = box.proven(prefix)
    expect(sum(row["stubs"] for row in report["streams"]) == len(stubs), report)
    return f"{len(stubs)} of {len(messages)} are stubs"


def queue_full(box):
    """librdkafka has room for few: the journal is the queue."""
    prefix = box.prefix()
    with box.agent(prefix, ("-X", "queue.buffering.max.messages=20")) as agent:
        let_end(load(box, box.size(1, 20), 1000))
        box.end(agent)
    sums = box.same(prefix, agent.state)
    expect(all(more == 0 for _, more in sums.values()), sums)
    box.proven(prefix)
    return summary(sums)


def kill_often(box, agent, times):
    """At moments of its start, of its work, and of what it takes over."""
    dice = random.Random(7)
    for _ in range(times):
        time.sleep(dice.uniform(0.0, 0.8))
        agent.process.kill()
        agent.process.wait()
        os.truncate(agent.out_path, 0)
        agent.start()


def agent_killed(box):
    """kill -9 at random moments under load: at least once, in order, nothing missing."""
    prefix, times = box.prefix(), box.size(10, 200)
    agent = box.agent(prefix, pins=box.pins())
    rate, seconds = 200, box.size(12, 160)
    try:
        agent.start()
        children = load(box, seconds, rate)
        kill_often(box, agent, times)
        let_end(children)
        setup.let_idle()
        box.end(agent, 120)
    finally:
        agent.stop()
        harness.command(box.demarc, "detach", *(
            word for key, value in agent.settings.items() for word in ("--set", f"{key}={value}")),
            check=False)
    sums = box.same(prefix, agent.state)
    box.proven(prefix)
    entries = [entry for entry, _ in raw_entries(agent.state)]
    told = {(entry["dst_endpoint"]["ip"], entry["dst_endpoint"]["port"])
            for entry in entries if entry.get("is_alert") and entry["class_uid"] == 4001}
    lost = sum(ocsf.lost(entry) or 0 for entry in entries)
    expect(len(told) + lost >= rate * seconds, len(told), "destinations told of", rate * seconds,
           "and", lost, "lost by the node's own word")
    return f"{times} times: {summary(sums)}; all {len(told)} destinations"


def tests():
    yield "broker down at first, then killed", down_at_first
    yield "broker frozen", frozen
    yield "topic missing", topic_missing
    yield "topic not authorised", not_authorised
    yield "message too large", too_large
    yield "queue full", queue_full
    yield "agent killed", agent_killed
    yield "leader moved", leader_moves
