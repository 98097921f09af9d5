# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is personal is in no byte that demarc leaves: journal, recording, log, output, socket."""
import json
import os
import subprocess

import harness
from harness import AWAY4, expect
import ocsf
import setup

PASSWORD = "hunter2-PLANTED-9f31"
USER = "planted-person"
UID = 61234


def leaks(folder, needle):
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path):
                with open(path, "rb") as content:
                    if needle.encode() in content.read():
                        found.append(os.path.relpath(path, folder))
    return found


def hold_as_planted(box, agent):
    """
    A planted user's process sends away, and is there until the agent told of it: a node
    that has cgroups of both versions takes a look at the process to know whose users
    its uid is one of, and who is gone by then is given no name.
    """
    words = box.words("exec", options=("-u", UID), rest=(
        box.traffic_program, "-a", AWAY4, "-p", 9000, "-k", 2, "-w", 60000, "udp", "--password",
        PASSWORD))
    box.children.append(subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL))
    harness.wait_until(lambda: any(ocsf.dst_port(e) == 9000 for e in agent.entries()), 20,
                       "the planted process to be told of")
    box.release()


def send_as_planted(box):
    """A planted user's process with a password in its argv sends away; and so do its children."""
    box.send("exec", options=("-u", UID), rest=(
        box.traffic_program, "-a", AWAY4, "-p", 9000, "-k", 2, "udp", "--password", PASSWORD))
    box.send("exec", options=("-u", UID), rest=(
        "/bin/sh", "-c", f": {PASSWORD}; {box.traffic_program} -a {AWAY4} -p 9001 udp"))
    setup.let_idle()


def settings(box, **more):
    passwd = box.write("passwd", "root:x:0:0:root:/root:/bin/sh\n"
                       f"{USER}:x:{UID}:{UID}::/home/{USER}:/bin/sh\n")
    return setup.alerting(box, passwd=passwd, journal__exec="true", **more)


def run(box):
    with harness.Agent(box, settings(box)) as agent:
        hold_as_planted(box, agent)
        send_as_planted(box)
        status = json.dumps(agent.status())
        agent.stop()
    return agent, status


def planted(box):
    os.chmod(box.directory, 0o755)
    agent, status = run(box)
    mine = [e for e in agent.entries() if ocsf.is_network(e) and ocsf.dst_ip(e) == AWAY4]
    expect(mine, "the planted process was not seen at all")
    text = json.dumps(mine)
    expect("p-" in text, "no pseudonym stands where the user's name was")
    for needle in (PASSWORD, USER, f":{UID},", f'"{UID}"'):
        found = leaks(agent.directory, needle)
        expect(not found, needle, "stands in", found)
        expect(needle not in status, needle, "stands in the status")
    return f"{len(mine)} entries"


def shown_in_full(box):
    """The same with privacy off: the needle is there, so the test above can fail."""
    with harness.Agent(box, settings(box, privacy__user="full", privacy__argv="full")) as agent:
        hold_as_planted(box, agent)
        send_as_planted(box)
        copies = not ocsf.refused(agent.status()["coverage"], "tp_btf/sched_process_exec")
        agent.stop()
    expect(leaks(agent.directory, USER), "with privacy off the user's name stands nowhere")
    expect(bool(leaks(agent.directory, PASSWORD)) == copies, "with privacy off argv stands",
           "nowhere" if copies else "somewhere, though coverage says that it is not copied")
    return "" if copies else "this kernel lets nobody copy argv, and coverage says so"


def recorded(box):
    """demarc record keeps neither."""
    path = os.path.join(box.directory, "planted.rec")
    words = [box.demarc, "record", path]
    own = {"state_directory": os.path.join(box.directory, "record-state"), "pins": ""}
    for key, value in {**settings(box), **own}.items():
        words += ["--set", f"{key}={value}"]
    recorder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        harness.wait_until(lambda: os.path.exists(path) or recorder.poll() is not None, 20,
                           "the recording to begin")
        setup.let_idle()
        send_as_planted(box)
    finally:
        recorder.terminate()
        said = recorder.communicate(timeout=20)[0]
    expect(os.path.exists(path), "demarc record wrote nothing:", said.decode()[-400:])
    with open(path, "rb") as recording:
        content = recording.read()
    expect(len(content) > 1000, "the recording is empty")
    for needle in (PASSWORD, USER):
        expect(needle.encode() not in content + said, needle, "stands in the recording")


def tests():
    yield "planted-secrets", planted
    yield "planted-secrets-control", shown_in_full
    yield "planted-secrets-record", recorded
