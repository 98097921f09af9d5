# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An outage at rates that packets do not reach here: journal and stream alone, a real broker."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

from harness import expect
from stand import differences, first_arrivals, raw_entries, topics_of

VIOLATIONS, ACTIVITIES = 1000, 20000


def pour(box, prefix, seconds, drain_s, violations, activities, quota_mib=0):
    """Frozen while it pours, thawed when all is in the journal."""
    directory = os.path.join(box.work, f"pour-{prefix}")
    os.makedirs(directory)
    node = box.cluster.nodes[0]
    node.signal(signal.SIGSTOP)
    child = subprocess.Popen(
        [box.pour_program, directory, box.cluster.address(), prefix, str(violations),
         str(activities), str(seconds), str(drain_s), str(quota_mib)], stdout=subprocess.PIPE, text=True)
    box.children.append(child)
    try:
        first = child.stdout.readline()
    finally:
        node.signal(signal.SIGCONT)
    expect(first.strip() == "poured", "the pourer said", first)
    report = json.loads(child.stdout.readline())
    child.wait(60)
    shutil.rmtree(directory, ignore_errors=True)
    return report


def outage(box):
    """1,000 violations and 20,000 activities a second while the broker is frozen."""
    prefix = box.prefix(partitions=1)
    report = pour(box, prefix, box.size(4, 60), 300, VIOLATIONS, ACTIVITIES)
    expect(report["drain_s"] >= 0, "it did not drain:", report)
    expect(not report["refused_violations"], "violations were refused:", report)
    audit = box.proven(prefix)
    rows = {row["topic"].split(".")[1]: row for row in audit["streams"]}
    expect(rows["violations"]["last"] + 1 == report["violations"] + report["gaps"], rows, report)
    expect(rows["activity"]["last"] + 1 == report["activities"] + report["gaps"], rows, report)
    expect(rows["activity"]["lost"] == report["refused_activities"], rows, report)
    rate = report["drained"] / max(report["drain_s"], 0.001)
    expect(rate >= 20000, f"drained at {rate:.0f} messages a second:", report)
    return (f"{report['violations']} and {report['activities']}, {report['refused_activities']} "
            f"refused and told; drained at {rate:.0f} a second, {report['rss_kib'] // 1024} MiB")


def killed(box):
    """kill -9 in quick turns at high rates: what has a number arrives, in order."""
    prefix, dice, times = box.prefix(partitions=1), random.Random(11), box.size(20, 150)
    directory = os.path.join(box.work, f"killed-{prefix}")
    os.makedirs(directory)
    words = [box.pour_program, directory, box.cluster.address(), prefix, "200", "1000"]
    for _ in range(times):
        child = subprocess.Popen([*words, "60", "0"], stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.0, 0.5))
        child.kill()
        child.wait()
    subprocess.run([*words, "1", "60"], stdout=subprocess.DEVNULL, timeout=90, check=True)
    sums = {}
    kept = raw_entries(directory)
    for name in ("violations", "activity"):
        messages = box.kcat(f"{prefix}.{name}.v1")
        arrived = first_arrivals(messages)
        wanted = [(entry, text) for entry, text in kept if name in topics_of(entry)]
        expect([message.payload for message in arrived] == [text for _, text in wanted],
               differences(name, arrived, wanted))
        ordinals = [int(message.headers["demarc_topic_sequence"]) for message in arrived]
        expect(ordinals == list(range(len(arrived))), name, "is not counted without a hole")
        sums[name] = f"{len(arrived)} (+{len(messages) - len(arrived)} repeated)"
    box.proven(prefix)
    shutil.rmtree(directory, ignore_errors=True)
    return f"{times} times: {sums}"


def tests():
    yield "outage at full rate", outage
    yield "stream killed", killed
