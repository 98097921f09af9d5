# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Start, reload, stall, stop: what goes wrong is said, and what was kept stays kept."""
import os
import subprocess
import time

import harness
from harness import AWAY4, HOME4, expect
import ocsf
import setup

BROKEN = """{
  "metadata": {"id": "live-tests", "version": "2", "jurisdiction": "EU"},
  "rules": [
    {"id": "broken", "title": "a slip of the finger", "status": "test", "level": "high",
     "event": "flow", "action": "alert",
     "match": {"dst.prot": {"eq": 80}}}
  ]
}
"""
BROKEN_LINE, NEAREST = 6, "dst.port"


def names_the_slip(text, path):
    expect(f"{path}:{BROKEN_LINE}:" in text, "no", f"{path}:{BROKEN_LINE}:COLUMN in", text[-600:])
    expect(NEAREST in text, "the nearest name is not said:", text[-600:])


def broken_rules(box):
    """rules check names file, line, column and the nearest valid name."""
    path = box.write("broken.json", BROKEN)
    done = subprocess.run([box.demarc, "rules", "check", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=20)
    expect(done.returncode != 0, "demarc rules check took the broken file")
    names_the_slip(done.stdout, path)


def reload_broken(box):
    """A reload with a broken file keeps the old rules, and says so; a good one is taken."""
    settings = setup.alerting(box)
    with harness.Agent(box, settings) as agent:
        box.write("rules.json", BROKEN)
        agent.reload()
        harness.wait_until(lambda: NEAREST in agent.log(), 10, "the log to name the slip")
        names_the_slip(agent.log(), settings["rules"])
        box.send("udp", options=("-a", AWAY4, "-p", 9000))
        alerts = harness.wait_until(lambda: [e for e in agent.entries() if ocsf.is_alert(e) and
                                             ocsf.is_network(e)], 10,
                                    "an alert by the old rules")
        expect(ocsf.dst_ip(alerts[0]) == AWAY4, "the alert is about", ocsf.dst_ip(alerts[0]))
        box.write("rules.json", setup.rule_file(
            setup.rule("alert.home", "alert", {"dst.location_country": {"eq": "DE"}}, "high")))
        agent.reload()
        time.sleep(1)
        box.send("udp", options=("-a", HOME4, "-p", 9000))
        harness.wait_until(lambda: [e for e in agent.entries() if ocsf.is_alert(e) and
                                    ocsf.dst_ip(e) == HOME4], 10, "an alert by the new rules")
        expect(agent.stop() == 0, "exit status")


def violation(box):
    """A client that goes away is an alert; one that stays home is not."""
    with harness.Agent(box, setup.alerting(box)) as agent:
        box.start("serve-tcp", options=("-a", "::", "-p", 8080, "-k", 0))
        away = box.send("tcp", options=("-a", AWAY4, "-p", 8080))
        home = box.send("tcp", options=("-a", HOME4, "-p", 8080))
        setup.let_idle()
        expect(agent.stop() == 0, "exit status")
        kept, shown = agent.kept(), agent.entries()
        expect(kept == shown, "the journal holds", len(kept), "entries, --json showed", len(shown))
        alerts = {ocsf.pid(e) for e in agent.entries() if ocsf.is_alert(e) and
                  ocsf.is_network(e)}
    expect(alerts == {away["pid"]}, "alerts are about", alerts, "not", away["pid"])
    expect(home["received"] == 100, "home did not answer")


def outside_scope(box):
    """What another cgroup sends is not this agent's business."""
    with harness.Agent(box, setup.recording(box)) as agent:
        report = box.send("udp", cgroup=box.outside, options=("-a", AWAY4, "-p", 9000))
        setup.let_idle()
        agent.stop()
        mine = [e for e in agent.entries() if ocsf.pid(e) == report["pid"]]
    expect(not mine, "an entry about a process out of scope")


def stall(box):
    """Storage stands still for 5 s at 20,000 events a second: the loop goes on."""
    rate, seconds = (20000, 5) if box.storm > 10000 else (1000, 5)
    library = os.path.join(os.path.dirname(box.traffic_program), "stall.so")
    flag = os.path.join(box.directory, "stall")
    os.environ["LD_PRELOAD"], os.environ["STALL_FILE"] = library, flag
    try:
        agent = harness.Agent(box, setup.recording(
            box, flows__table_entries=262144, ring__bulk_bytes=16777216, journal__staging_mib=16))
        agent.start()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["STALL_FILE"]
    with open(flag, "w"):
        pass
    began = time.monotonic()
    report = box.send("spray", seconds=60, options=("-a", AWAY4, "-k", rate * seconds, "-r", rate,
                                                    "-s", 4, "-b", 32))
    during = agent.status()
    elapsed = time.monotonic() - began
    os.unlink(flag)
    expect(during is not None, "the loop did not answer while storage stood still")
    setup.let_idle()
    status = agent.status()
    expect(agent.stop(60) == 0, "exit status")
    found = len({(ocsf.dst_ip(e), ocsf.dst_port(e)) for e in agent.kept()
                 if ocsf.is_network(e) and ocsf.pid(e) == report["pid"]})
    turn = status["loop"]["longest_turn_ms"]
    shed = status["journal"].get("refused_bulk", 0)
    expect(elapsed < seconds + 6 * harness.PATIENCE, "sending took", elapsed)
    expect(turn < 1000 * harness.PATIENCE, "the longest turn of the loop took", turn, "ms")
    expect(shed > 0 or found == report["sent"], found, "flows of", report["sent"], "and none shed")
    if shed:
        expect(any(ocsf.lost(e) for e in agent.kept()),
               "entries were shed without a gap entry")
    return f"longest turn {turn} ms, shed {shed}, journalled {found} of {report['sent']} flows"


def restart(box):
    """What left while nobody watched is not known, and the next start says since when."""
    settings = setup.recording(box)
    with harness.Agent(box, settings) as agent:
        agent.process.kill()
        agent.process.wait()
        left = time.time()
    time.sleep(1.5)
    with harness.Agent(box, settings) as agent:
        back = time.time()
        expect(agent.stop() == 0, "exit status")
        downs = [e for e in agent.kept() if ocsf.enrichment(e, "event", "reason") == "down"]
    expect(len(downs) == 1, len(downs), "entries tell of the absence")
    began, ended = downs[0]["start_time"] / 1000, downs[0]["end_time"] / 1000
    expect(abs(began - left) < 2 * harness.PATIENCE, "it began at", began, "not at", left)
    expect(left + 1.4 < ended <= back, "it ended at", ended, "not between", left + 1.4, "and", back)


def quota(box):
    """The day's shard fills the quota: bulk is refused, and told by class, number and bytes; alerts go on."""
    count = 3000
    settings = setup.alerting(box, journal__flows="each", journal__quota_mib=2, journal__reserve_mib=1,
                              journal__compress="false", flows__table_entries=262144)
    with harness.Agent(box, settings) as agent:
        report = box.send("spray", seconds=60, options=("-a", HOME4, "-k", count, "-r", 2000, "-s", 4,
                                                        "-b", 32))
        setup.let_idle()
        box.send("udp", options=("-a", AWAY4, "-p", 9000))
        setup.let_idle()
        expect(agent.stop() == 0, "exit status")
        kept = agent.kept()
    gaps = [e for e in kept if ocsf.kind(e) == "gap"]
    expect({(ocsf.enrichment(g, "event", "reason"), ocsf.enrichment(g, "event", "class"))
            for g in gaps} == {("quota", "bulk")}, "gaps:", gaps[:3])
    mine = [e for e in kept if ocsf.is_network(e) and ocsf.dst_ip(e) == HOME4]
    lost = sum(g["count"] for g in gaps)
    # the alert's flow is recorded by the other rule, too: two more that are bulk
    expect(len(mine) + lost == 2 * report["sent"] + 2, len(mine), "entries +", lost,
           "told as refused of", report["sent"], "flows")
    told = sum(ocsf.enrichment(e, "event", "delta_bytes") or 0 for e in mine)
    lost_bytes = sum(ocsf.enrichment(g, "event", "lost_bytes") or 0 for g in gaps)
    expect(told + lost_bytes == report["sent"] * (32 + 28), told, "bytes +", lost_bytes, "refused of",
           report["sent"], "datagrams")
    expect(any(ocsf.is_alert(e) and ocsf.dst_ip(e) == AWAY4 for e in kept), "the alert was refused, too")
    return f"{lost} of {len(mine) + lost} entries refused, {lost_bytes} bytes of {told + lost_bytes}"


def tests():
    yield "violation", violation
    yield "restart", restart
    yield "outside-scope", outside_scope
    yield "rules-broken", broken_rules
    yield "reload-broken", reload_broken
    yield "storage-stall", stall
    yield "quota", quota
