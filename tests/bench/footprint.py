# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""footprint - the agent's processor time and memory, and how soon it sees."""
import json
import os
import re
import statistics
import subprocess
import threading
import time

from agent import Agent, cpu_seconds
from sandbox import AWAY

NEW_CONNECTS = 30000
FLOWS, RULES, CROWD = 65536, 1000, 10000


def new_cpu(box):
    """CPU seconds per 100,000 connects, each to a new place: a violation, judged and journalled."""
    with Agent(box) as agent:
        agent.settle()
        before, from_ = cpu_seconds(agent.pid), agent.status()
        box.load("new", AWAY, 7000, NEW_CONNECTS)
        status = agent.settle()
        used = cpu_seconds(agent.pid) - before
    return {"cpu_s_per_100k": used * 100000 / NEW_CONNECTS,
            "entries": status["pipeline"]["entries"] - from_["pipeline"]["entries"],
            "lost": sum(kind["dropped"] for kind in status["counters"].values())
            + status["pipeline"]["shed"]}


def write_rules(box):
    """A pack of RULES rules, each about a prefix and ports of its own."""
    rules = [{"id": f"bench.rule-{i}", "title": f"rule {i}", "event": "flow", "level": "low",
              "match": {"dst.ip": {"cidr": f"10.{i % 256}.{i // 256}.0/24"}, "dst.port": 1024 + i},
              "action": "record"} for i in range(RULES)]
    path = os.path.join(box.work, "thousand.json")
    with open(path, "w") as out:
        json.dump({"metadata": {"id": "bench", "version": "1", "jurisdiction": "EU"},
                   "rules": rules}, out)
    return path


def memory(box):
    """With FLOWS flows in the table and RULES rules."""
    with Agent(box, settings=(f"rules={write_rules(box)}",)) as agent:
        idle = agent.memory_kib()
        children = [box.start(box.app, True, "spread", "198.18.0.1", 7000,
                              FLOWS // len(box.groups), group=group, stdout=subprocess.PIPE)
                    for group in box.groups]
        for child in children:
            child.stdout.readline()
        agent.settle()
        time.sleep(2)
        status = agent.status()
        found = {"kib": agent.memory_kib(), "idle_kib": idle, "map_bytes": agent.map_bytes(),
                 "mapped_kib": agent.mapped_kib(), "flows": status["pipeline"]["flows"],
                 "rules": status["policy"]["rules"]}
        for child in children:
            box.end(child)
            child.stdout.close()
    return found


def first_flow(agent, found):
    for line in agent.process.stdout:
        if b'"class_uid":4001' in line and b"198.19." in line:
            found.append(time.monotonic())
            break
    for _ in agent.process.stdout:
        pass  # so that it is never held up by us


def start_once(box, pinned, fresh):
    """ms from exec of demarc to the first flow on disk, of connects made all the while."""
    pacer = box.start(box.app, True, "pace", AWAY, 7000, 20)
    time.sleep(0.1)
    from_ = time.monotonic()
    agent = Agent(box, pinned=pinned, fresh=fresh, ready=False, stdout=subprocess.PIPE,
                  arguments=("--json",))
    found = []
    reader = threading.Thread(target=first_flow, args=(agent, found))
    reader.start()
    while not found and time.monotonic() - from_ < 20 and agent.process.poll() is None:
        time.sleep(0.001)
    box.end(pacer)
    if not found:
        agent.__exit__()
        raise RuntimeError("no flow was told after the start")
    return agent, reader, (found[0] - from_) * 1000


def stop(agent, reader, kill=False):
    if kill:
        agent.kill()
    else:
        agent.__exit__()
    reader.join()
    agent.process.stdout.close()


def start_fresh(box, times):
    took = []
    for _ in range(times):
        agent, reader, ms = start_once(box, pinned=False, fresh=True)
        stop(agent, reader)
        took.append(ms)
    return took


def start_adopted(box, times):
    """After kill -9, with the kernel still counting."""
    agent, reader, _ = start_once(box, pinned=True, fresh=True)
    took = []
    for _ in range(times):
        stop(agent, reader, kill=True)
        if not os.listdir(box.pins):
            raise RuntimeError("the killed agent left nothing pinned: nothing to adopt")
        agent, reader, ms = start_once(box, pinned=True, fresh=False)
        took.append(ms)
    stop(agent, reader)
    return took


def wakeups(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as status:
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)[1])
    return total


def idle(box, seconds=5):
    """How often the agent wakes, and what that costs, while nothing happens in its scope."""
    with Agent(box) as agent:
        agent.settle()
        before, cpu = wakeups(agent.pid), cpu_seconds(agent.pid)
        time.sleep(seconds)
        return {"wakeups_per_s": (wakeups(agent.pid) - before) / seconds,
                "cpu_share": (cpu_seconds(agent.pid) - cpu) / seconds}


def median_of(took):
    return {"median_ms": statistics.median(took), "most_ms": max(took)}


def adopted(box, times=5):
    return median_of(start_adopted(box, times))


def start(box, times=5):
    """First event after exec, with nothing there yet, and beside a crowd."""
    found = {"fresh": median_of(start_fresh(box, times))}
    crowd = box.start(box.app, True, "crowd", "127.0.0.1", 7000, CROWD, stdout=subprocess.PIPE)
    crowd.stdout.readline()
    found["crowded"] = median_of(start_fresh(box, 2))
    box.end(crowd)
    crowd.stdout.close()
    return found
