# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Streaming to a broker outside the jurisdiction is itself a violation, by demarc."""
import json

from harness import expect
import ocsf
import setup
from broker import AWAY
from relay import Relay


def stream_to(box, cgroup, **more):
    """An agent in that cgroup, behind the sandbox's gate, and a broker away; the violations told."""
    prefix, node = box.prefix(), box.cluster.nodes[0]
    place = f"{AWAY}:{node.ports['AWAY']}"
    with Relay(box.net.sink_path, AWAY, node.ports["AWAY"]):
        agent = box.agent(prefix, brokers=place, **more)
        agent.words = box.words("exec", cgroup=cgroup, rest=agent.words)
        with agent:
            box.send_many("198.51.100", 0, 5, 0)
            box.end(agent)
    box.same(prefix, agent.state)
    box.proven(prefix)
    said = [json.loads(message.payload)["message"] for message in box.kcat(f"{prefix}.evidence.v1")]
    expect(any(f"streams to broker {place}" in text for text in said), said)
    return place, [json.loads(message.payload) for message in box.kcat(f"{prefix}.violations.v1")]


def about_itself(place, alerts):
    """All are of its own connections. The first entry of each fold."""
    for alert in alerts:
        expect(alert["actor"]["process"]["name"] == "demarc", alert["actor"])
        expect(f"{ocsf.dst_ip(alert)}:{ocsf.dst_port(alert)}" == place, alert["dst_endpoint"])
        expect(ocsf.rule_id(alert) == "alert.away", alert.get("firewall_rule"))
    return [alert for alert in alerts if ocsf.enrichment(alert, "judgement", "phase") == "open"]


def seen_by_the_gate(box):
    """In the watched cgroup: its connections pass the gate, with their bytes."""
    alerts = stream_to(box, box.scope)
    opened = about_itself(*alerts)
    expect(len(opened) == 1, len(opened), "alerts were opened")
    expect(any(alert["traffic"]["bytes_out"] > 1000 for alert in alerts[1]), alerts[1][-1])


def said_by_itself(box):
    """Outside of what it watches: it says so once, without bytes, which it did not count."""
    opened = about_itself(*stream_to(box, box.outside))
    expect(len(opened) == 1, len(opened), "alerts were opened")
    expect("traffic" not in opened[0], opened[0].get("traffic"))


def at_home(box):
    """At the same address when that is within the jurisdiction: none."""
    places = box.write("home.csv", setup.PLACES + f"{AWAY}/32,DE,DE\n")
    _, alerts = stream_to(box, box.outside, place__overrides=places)
    expect(not alerts, alerts)


def tests():
    yield "broker away, seen by the gate", seen_by_the_gate
    yield "broker away, said by the agent", said_by_itself
    yield "broker at home", at_home
