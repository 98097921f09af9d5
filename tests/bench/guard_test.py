#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""guard_test - that the guard bites, that tables say what was measured, that publishing is exact.

Pure: no kernel, no root. A suite like the others; build/results/bench-test.
"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guard  # noqa: E402
import publish  # noqa: E402
import targets  # noqa: E402

GUEST = {"kernel": "6.1.0", "profile": {}, "programs": {"flow_gate": [1000, 800], "sock_create": [70, 500]},
         "off": [{"connect": 100, "exec": 5000}, {"connect": 104, "exec": 5600}],
         "on": [{"connect": 400, "exec": 6000}, {"connect": 400, "exec": 6000}]}


def guest(**changes):
    copy = json.loads(json.dumps(GUEST))
    for name, value in changes.items():
        copy[name] = value
    return copy


def measured(raw):
    figures, noise = guard.figures_of(raw)
    return {"kernel": raw["kernel"], "clang": "14", "qemu": "7", "figures": figures, "noise": noise}


BASE = measured(GUEST)


def bad(raw):
    return guard.compare(BASE, measured(raw))[0]


def test_same_holds():
    assert guard.compare(BASE, measured(GUEST)) == ([], [])


def test_a_loop_more_is_found():
    """As a loop in a program shows: more for the verifier to look at, a little more code."""
    looped = guest(programs={"flow_gate": [1900, 830], "sock_create": [70, 500]})
    assert bad(looped) == ["verified flow_gate: 1000 -> 1900 (+90.0%)"], bad(looped)


def test_five_percent_is_the_edge():
    assert not bad(guest(programs={"flow_gate": [1050, 840], "sock_create": [70, 500]}))
    assert len(bad(guest(programs={"flow_gate": [1051, 841], "sock_create": [70, 500]}))) == 2


def test_more_guest_instructions_are_found():
    slower = guest(on=[{"connect": 425, "exec": 6000}] * 2)
    assert bad(slower) == ["added connect: 298 -> 323 (+8.4%)"], bad(slower)


def test_noise_is_no_growth():
    assert BASE["noise"]["added exec"] == 600
    assert not bad(guest(on=[{"connect": 400, "exec": 6500}] * 2))
    assert bad(guest(on=[{"connect": 400, "exec": 6700}] * 2))


def test_shrinking_is_told():
    smaller = guest(programs={"flow_gate": [500, 800], "sock_create": [70, 500]})
    fails, told = guard.compare(BASE, measured(smaller))
    assert not fails and told[0].startswith("verified flow_gate: shrank, 1000 -> 500"), told


def test_new_program_needs_a_baseline():
    more = guest(programs={**GUEST["programs"], "iter_sweep": [300, 700]})
    assert len(bad(more)) == 2 and "no baseline" in bad(more)[0]


def test_gone_program_is_told():
    less = guest(programs={"flow_gate": [1000, 800]})
    assert guard.compare(BASE, measured(less)) == \
        ([], ["verified sock_create: gone", "translated sock_create: gone"])


def test_a_reason_is_kept():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "baseline.json")
        guard.store(BASE, "the first of them", path)
        guard.store(BASE, "sockets are told twice", path)
        with open(path) as stored:
            kept = json.load(stored)
    assert [entry["reason"] for entry in kept["history"]] == \
        ["the first of them", "sockets are told twice"]
    assert guard.compare(kept, BASE) == ([], [])


def test_targets_are_judged():
    results = {"cost": {"variants": {"demarc": {"exec": {"added_ns": 12000}}}},
               "pipeline": {"each": {"records": 600000, "seconds": 1, "shed": 0}},
               "guard": {"figures": {"added refused": 899}}}
    words = {row[0]: row[3] for row in targets.judge(results)}
    assert words["exec"] == "missed"
    assert words["pipeline on one core, every event an entry on disk"] == "reached"
    assert words["refused connect, guest instructions"] == "reached"
    assert words["connect, loopback"] == "-"
    results["pipeline"]["each"]["shed"] = 1
    assert dict((row[0], row[3]) for row in targets.judge(results))[
        "pipeline on one core, every event an entry on disk"] == "missed"


def test_publishing_touches_only_what_is_between():
    text = "a\n<!-- bench: targets -->\nold\n<!-- bench: end -->\nb\n"
    assert publish.replace(text, "targets", "new\n") == \
        "a\n<!-- bench: targets -->\nnew\n<!-- bench: end -->\nb\n"
    try:
        publish.replace("no marks\n", "targets", "new\n")
    except ValueError:
        return
    raise AssertionError("a text without marks was taken")


def main():
    passed = failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
        except AssertionError as why:
            failed += 1
            print(f"not ok bench-test: {name[5:].replace('_', ' ')}: {why}")
        else:
            passed += 1
            print(f"ok bench-test: {name[5:].replace('_', ' ')}")
    folder = os.environ.get("RESULTS", "build/results")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "bench-test"), "w") as out:
        out.write(f"{passed} {failed} 0\n")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
