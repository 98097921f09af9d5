# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""monitor - attacks on the monitor itself, each against agents of its own."""
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import cases
import harness
from harness import APP4, AWAY4, SINK4, Skipped, command, expect, wait_until
import ocsf
import setup

SERVED = 7000
SNAPSHOT = "iter/task_file"


def background(box, name, to, *more, side="app", port=cases.PORT, **kept):
    """A script that says when it is ready, or that just begins (ready=False)."""
    rest = (sys.executable, "-B", os.path.join(cases.HERE, "senders.py"), name, to, port, *map(str, more))
    if kept.pop("ready", True):
        return box.start("exec", side=side, rest=rest, **kept)
    child = subprocess.Popen(box.words("exec", side, rest=rest, **kept), stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
    box.children.append(child)
    return child


def sink(box):
    return background(box, "serve", "-", side="sink")


def flows(entries, **wanted):
    return [f for f in ocsf.flows(entries)
            if all(getattr(ocsf, key)(f) == value for key, value in wanted.items())]


def older(box):
    """Sockets and listeners older than the agent: who holds them, and the right role."""
    sink(box)
    flag = os.path.join(box.directory, "go")
    holder = background(box, "older", AWAY4, flag)
    with harness.Agent(box, setup.recording(box)) as agent:
        if not ocsf.attached(agent.status()["coverage"], SNAPSHOT):
            raise Skipped("the kernel tells nothing of older sockets")
        asker = background(box, "ask", APP4, side="sink", ready=False)
        with open(flag, "w"):
            pass
        holder.wait(30 * harness.PATIENCE)
        asker.wait(30 * harness.PATIENCE)
        setup.let_idle()
        agent.stop()
        mine = [f for f in ocsf.flows(agent.kept()) if ocsf.pid(f) == holder.pid]
    seen = {(ocsf.protocol(f), ocsf.dst_ip(f), ocsf.basis(f), ocsf.role(f)) for f in mine}
    for wanted in ((6, AWAY4, "holder", "client"), (17, AWAY4, "holder", "client"),
                   (6, SINK4, "listener", "server"), (17, SINK4, "holder", "server")):
        expect(wanted in seen, wanted, "is missing in", seen)
    expect(len(seen) == 4, "more than was sent:", seen)


def spray(box):
    """A raw socket with more destinations than the table has room must not blind for ever."""
    sink(box)
    with harness.Agent(box, setup.recording(box, flows__table_entries=500)) as agent:
        cases.script(box, "spray_tcp", "203.0.113.200", 1000)
        setup.let_idle()
        full = agent.status()["totals"]["table_full_foreign"]["flows"]
        expect(full > 0, "the table did not overflow: this shows nothing")
        report = box.send("tcp", options=("-a", AWAY4, "-p", cases.PORT, "-b", 1000))
        setup.let_idle()
        status = agent.status()
        agent.stop()
        found = flows(agent.kept(), pid=report["pid"], dst_ip=AWAY4)
    expect(len(found) == 1, "a later connection is", len(found), "flows;", status["pipeline"])
    expect(status["pipeline"]["flows"] < 10, status["pipeline"]["flows"], "flows never closed")
    return f"{full} flows met a full table, the next one was told"


class Pod:
    """A namespace behind the app namespace, which forwards for it."""

    def __init__(self, box):
        self.box, self.name = box, box.net.app.replace("app", "pod")
        app, sink_side = ("ip", "-n", box.net.app), ("ip", "-n", box.net.sink)
        command("ip", "netns", "add", self.name)
        command(*app, "link", "add", "pod0", "type", "veth", "peer", "name", "eth0", "netns", self.name)
        command(*app, "address", "add", "198.18.7.1/24", "dev", "pod0")
        command(*app, "link", "set", "pod0", "up")
        for words in (("address", "add", "198.18.7.2/24", "dev", "eth0"), ("link", "set", "eth0", "up"),
                      ("link", "set", "lo", "up"), ("route", "add", "default", "via", "198.18.7.1")):
            command("ip", "-n", self.name, *words)
        command(*sink_side, "route", "replace", "198.18.7.0/24", "via", APP4)
        box.net.sysctl(box.net.app, "net.ipv4.ip_forward", "1")
        for key in ("all", "sink0"):
            box.net.sysctl(box.net.sink, f"net.ipv4.conf.{key}.rp_filter", "0", check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        command("ip", "netns", "del", self.name, check=False)

    def start(self, name, to, port):
        box = self.box
        words = [box.traffic_program, "-c", box.scope.path, "-n", f"/run/netns/{self.name}", "exec",
                 sys.executable, "-B", os.path.join(cases.HERE, "senders.py"), name, to, str(port)]
        child = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        box.children.append(child)
        expect(child.stdout.readline().strip() == "ready", name, "did not listen")


def spoofed(box):
    """SYNs from hosts that do not exist, to a pod's listener and to its closed port: no flow."""
    with Pod(box) as pod, harness.Agent(box, setup.alerting(box)) as agent:
        pod.start("listen", "-", SERVED)
        cases.script(box, "spoofed_syns", "198.18.7.2", side="sink", port=SERVED)
        setup.let_idle()
        status = agent.status()["totals"]
        agent.stop()
        found = [e for e in agent.kept() if ocsf.is_network(e)]
    expect(not found, len(found), "entries, such as", [
        (ocsf.kind(e), ocsf.dst_ip(e), ocsf.witness(e)) for e in found[:2]])
    control = status["nic_control"]["packets"]
    expect(control >= 40, "SYN-ACKs and RSTs counted as control at the NIC:", control)
    return f"{control} control packets, no flow"


def make_uplink(box):
    app = ("ip", "-n", box.net.app)
    command(*app, "link", "add", "up7", "type", "veth", "peer", "name", "up8")
    for name in ("up7", "up8"):
        command(*app, "link", "set", name, "addrgenmode", "none", "up")
    command(*app, "address", "add", "198.18.77.1/24", "dev", "up7")
    command(*app, "route", "add", "203.0.113.240/32", "dev", "up7")
    command(*app, "neigh", "add", "203.0.113.240", "lladdr", "02:00:00:00:00:08", "dev", "up7", "nud",
            "permanent")


def uplink(box):
    """A watched device is deleted and made anew: it is said, and watched again."""
    make_uplink(box)
    try:
        with harness.Agent(box, {**setup.recording(box), "nic.interfaces": "up7"}) as agent:
            command("ip", "-n", box.net.app, "link", "del", "up7")
            time.sleep(2)
            make_uplink(box)
            wait_until(lambda: nic_grows(box, agent), 15, "the new device to be watched")
            said = [e.get("message") for e in agent.kept()
                    if not ocsf.is_network(e) and "up7" in str(e)]
            expect(said or "up7" in agent.log(), "nothing was said of the uplink:", agent.tail())
            agent.stop()
    finally:
        command("ip", "-n", box.net.app, "link", "del", "up7", check=False)
    return (said or ["in the log"])[0]


def nic_grows(box, agent):
    before = agent.status()["totals"]["nic"]["packets"]
    box.send("udp", options=("-a", "203.0.113.240", "-p", 9000))
    return agent.status()["totals"]["nic"]["packets"] > before


def two_agents(box):
    """Two instances on one uplink: both count, and one that goes takes nothing from the other."""
    with harness.Agent(box, setup.recording(box)) as first:
        with harness.Agent(box, setup.recording(box, instance="two")) as second:
            cases.script(box, "frames", "203.0.113.201")
            time.sleep(0.5)
            counts = [each.status()["totals"]["nic"]["packets"] for each in (first, second)]
            expect(counts == [10, 10], "NIC packets of both:", counts)
            second.stop()
        cases.script(box, "frames", "203.0.113.202")
        time.sleep(0.5)
        alone = first.status()["totals"]["nic"]["packets"]
        expect(alone == 20, "NIC packets after the second went:", alone)


def flood(box):
    """One cgroup floods; beside it another makes one bad connection a second: all are told.

    Every datagram of the loud one goes elsewhere, far more than the table has room for: each
    is either a flow of the journal or counted as overflow, exactly.
    """
    seconds, rate = (10, 200000) if harness.PATIENCE == 1 else (5, 300)
    sink(box)
    loud = box.scope.child("loud")
    with harness.Agent(box, setup.alerting(box, journal__flows="each", journal__staging_mib=256,
                                           flows__idle_s=30)) as agent:
        quiet = background(box, "once_a_second", AWAY4, seconds, ready=False)
        began = time.monotonic()
        report = box.send("spray", cgroup=loud, seconds=90, options=(
            "-a", "198.51.100.20", "-k", rate * seconds, "-r", rate, "-s", 40, "-b", 10))
        took = time.monotonic() - began
        quiet.wait(60)
        wait_until(lambda: settled(agent), 60, "the rings to be read")
        status = agent.status()
        agent.stop(60)
        kept = agent.kept()
    identity(status)
    # Repeats fold into one alert that counts them; under a flood they may stand alone.
    told = sum(e.get("count") or 1 for e in kept if ocsf.pid(e) == quiet.pid and
               ocsf.is_alert(e) and ocsf.moment(e) == "close")
    expect(told == seconds, "connections of the quiet one that were told:", told, "of", seconds,
           status["counters"]["flow"])
    flows_told = sum(ocsf.pid(e) == report["pid"] and ocsf.moment(e) == "open" for e in kept)
    over = sum(status["totals"][f"table_full_{name}"]["flows"] for name in ("own", "foreign"))
    expect(flows_told + over == report["sent"], "the loud one:", flows_told, "flows +", over,
           "overflow of", report["sent"], "datagrams;", status["journal"], status["counters"]["flow"])
    return f"beside {flows_told} flows + {over} overflow at {report['sent'] / took / 1000:.0f},000 a second"


def settled(agent):
    before = agent.status()["counters"]["flow"]
    time.sleep(0.3)
    return before == agent.status()["counters"]["flow"]


def identity(status):
    for kind, c in status["counters"].items():
        expect(c["seen"] == c["filtered"] + c["folded"] + c["issued"], kind, "seen:", c)
        expect(c["issued"] == c["submitted"] + c["dropped"], kind, "issued:", c)


def delta_bytes(entries, pid):
    return sum(ocsf.enrichment(e, "event", "delta_bytes") or 0 for e in entries if ocsf.pid(e) == pid)


def stopped(box):
    """SIGSTOP for 3 s with 1,000 datagrams a second: nothing is missing afterwards."""
    with harness.Agent(box, setup.recording(box)) as agent:
        sender = background(box, "steady", AWAY4, 4, ready=False)
        time.sleep(0.5)
        agent.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        agent.process.send_signal(signal.SIGCONT)
        sender.wait(30 * harness.PATIENCE)
        setup.let_idle()
        status = agent.status()
        agent.stop()
        found = flows(agent.kept(), pid=sender.pid)
    identity(status)
    total = sum(map(ocsf.bytes_out, found))
    expect(len(found) == 10, len(found), "flows of 10")
    expect(total == status["totals"]["gate"]["bytes"], "flows hold", total, "bytes of",
           status["totals"]["gate"]["bytes"])
    return f"{total} bytes, none missing"


def killed(box):
    """kill -9 under load, three times: the journal opens again and says what it does not know."""
    settings = setup.recording(box)
    agent = harness.Agent(box, settings)
    sender = background(box, "steady", AWAY4, 12 * harness.PATIENCE, ready=False)
    try:
        for _ in range(3):
            agent.start()
            time.sleep(0.7)
            agent.process.kill()
            agent.process.wait()
            os.truncate(agent.out_path, 0)
        agent.start()
        known = {sender.pid} if ocsf.attached(agent.status()["coverage"], SNAPSHOT) else {None}
        setup.let_idle()
        expect(agent.stop() == 0, "exit status")
    finally:
        sender.kill()
    kept = agent.kept()
    gaps = [e for e in kept if ocsf.kind(e) == "gap" or ocsf.enrichment(e, "event", "reason")]
    # The first packets may pass before it is known who holds the socket: the flow's latest entry tells.
    owners = set({ocsf.dst_port(e): ocsf.pid(e) for e in kept if ocsf.dst_ip(e) == AWAY4}.values())
    expect(owners == known, "owners", owners, "instead of", known)
    unwatched = [e.get("message") for e in gaps if "did not count" in (e.get("message") or "")]
    expect(len(unwatched) >= 3, "of 3 times without a watch told:", len(unwatched),
           [e.get("message") for e in gaps][:4])
    numbers = [(ocsf.dig(e, "metadata", "log_name"), ocsf.dig(e, "metadata", "sequence")) for e in kept]
    expect(len(numbers) == len(set(numbers)), "a sequence number is taken twice")
    expect(numbers[-1][1] == len(numbers) - 1 or len({n[0] for n in numbers}) > 1,
           "sequence numbers are missing")
    return unwatched[0]


def owned(box):
    """Of sockets born while we watch, of every kind and in short lives, at most 0.1 % have no owner."""
    count = 20000 if harness.PATIENCE == 1 else 4000
    to, to_v6 = "203.0.113.220", "2001:db8:3::220"
    sink(box)
    with harness.Agent(box, setup.recording(box, flows__table_entries=262144, journal__staging_mib=256,
                                            ring__bulk_bytes=67108864,
                                            ring__critical_bytes=67108864)) as agent:
        report = box.send("exec", seconds=300, rest=(box.evade, "mixed", to, cases.PORT, count, to_v6))
        setup.let_idle()
        wait_until(lambda: settled(agent), 60, "the rings to be read")
        status = agent.status()
        agent.stop(60)
        mine = [f for f in ocsf.flows(agent.kept()) if ocsf.dst_ip(f) in (to, to_v6)]
    identity(status)
    cookies = {ocsf.cookie(f) for f in mine}
    expect(len(cookies) == count, len(cookies), "sockets of", count, "in", len(mine), "flows:",
           Counter((ocsf.protocol(f), ocsf.basis(f), ocsf.role(f), ocsf.witness(f)) for f in mine))
    unknown = sum(1 for f in mine if ocsf.pid(f) is None)
    wrong = {ocsf.pid(f) for f in mine} - set(report["pids"]) - {None}
    expect(not wrong, "wrong owners:", sorted(wrong)[:5])
    expect(unknown * 1000 <= count, unknown, "unknown owners of", count)
    return f"{unknown} unknown owners of {count}"


TESTS = (("E43", older), ("E58", flood), ("E64", stopped), ("E65", killed), ("R05", spray),
         ("R06", spoofed), ("R07", uplink), ("R08", two_agents), ("R09", owned))


def tests(wanted):
    for name, test in TESTS:
        if wanted(name):
            yield name, test
