# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""cost - what one operation costs with nothing, with demarc and with each peer, alternately."""
import contextlib
import statistics

from agent import Agent, cpu_seconds
from sandbox import HOME

# label, operation, address, port. "both" has the other end in the scope too.
LOADS = (
    ("loopback connect", "connect", "127.0.0.1", 7000),
    ("loopback udp", "udp", "127.0.0.1", 7000),
    ("loopback pp", "pp", "127.0.0.1", 7000),
    ("loopback bulk", "bulk", "127.0.0.1", 7000),
    ("veth connect", "connect", "192.0.2.2", 7000),
    ("veth udp", "udp", "192.0.2.2", 7000),
    ("veth pp", "pp", "192.0.2.2", 7000),
    ("veth bulk", "bulk", "192.0.2.2", 7000),
    ("veth both connect", "connect", "192.0.2.2", 7001),
    ("veth both pp", "pp", "192.0.2.2", 7001),
    ("exec", "exec", "127.0.0.1", 7000),
    ("other", "other", "127.0.0.1", 7000),
)
PEER_LOADS = ("loopback connect", "loopback udp", "loopback pp", "exec", "other")
CONNECTS = 20000


def measure_once(box, seconds, labels):
    """{label: ns of one}; for bulk ns of a megabyte, so that more is worse everywhere."""
    found = {}
    for label, operation, address, port in LOADS:
        if label in labels:
            value = float(box.load(operation, address, port, seconds)[0])
            found[label] = 1e15 / value if operation == "bulk" else value
    return found


def connect_cpu(box, pid, settle):
    """CPU seconds of a process per 100,000 connects to one place."""
    settle()
    before = cpu_seconds(pid)
    box.load("repeat", HOME, 7000, CONNECTS)
    settle()
    return (cpu_seconds(pid) - before) * 100000 / CONNECTS


def alternate(box, variants, rounds, seconds):
    """{variant: [one measure_once() a round]}, and CPU seconds per 100,000 connects."""
    rows = {"off": [], **{name: [] for name in variants}}
    cpu = {name: [] for name in variants}
    for _ in range(rounds):
        for name in rows:
            maker = variants.get(name, contextlib.nullcontext)
            labels = [load[0] for load in LOADS] if name in ("off", "demarc") else PEER_LOADS
            with maker() as tracer:
                rows[name].append(measure_once(box, seconds, labels))
                if tracer:
                    cpu[name].append(connect_cpu(box, tracer.pid, settle_of(tracer)))
            print(f"# {name}: done", flush=True)
    return rows, cpu


def settle_of(tracer):
    return tracer.settle if isinstance(tracer, Agent) else lambda: None


def compare(rows):
    """{variant: {label: medians, difference with its spread, ratio}}"""
    found = {}
    for name, measured in rows.items():
        if name == "off":
            continue
        found[name] = {}
        for label in measured[0]:
            pairs = [(off[label], on[label]) for off, on in zip(rows["off"], measured)]
            added = [on - off for off, on in pairs]
            off, on = (statistics.median(column) for column in zip(*pairs))
            found[name][label] = {
                "off_ns": off, "on_ns": on, "added_ns": statistics.median(added),
                "added_least_ns": min(added), "added_most_ns": max(added),
                "ratio": statistics.median(b / a for a, b in pairs)}
    return found


def run(box, peers, rounds, seconds):
    rows, cpu = alternate(box, {"demarc": lambda: Agent(box), **peers}, rounds, seconds)
    return {"rounds": rounds, "seconds": seconds, "variants": compare(rows),
            "cpu_s_per_100k_connects": {name: statistics.median(values)
                                        for name, values in cpu.items()}}
