# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The commands that read topics take the agent's own settings: an analyst on a node needs no more."""
import json
import os
import subprocess

from harness import expect

AWAY = "203.0.113"


def config_file(box, name, **kafka):
    path = os.path.join(box.directory, name)
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"cluster": "eu-1", "kafka": kafka}, out)
    return path


def run(box, *words, **environment):
    done = subprocess.run([box.demarc, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60, env={"PATH": os.environ["PATH"], **environment})
    return done.returncode, done.stdout, done.stderr


def same_settings(box):
    """Brokers, prefix and properties from a file, from variables, from --set; topics by the prefix."""
    prefix, address = box.prefix(), box.cluster.address()
    with box.agent(prefix, journal__findings="true") as agent:
        box.send_many(AWAY, 0, 5, 0)
        box.end(agent)
    secrets = os.path.join(box.directory, "secrets.properties")
    with open(secrets, "w", encoding="utf-8") as out:
        out.write("# for whoever may read it\nsocket.keepalive.enable=true\n")
    path = config_file(box, "reading.json", brokers=address, topic_prefix=prefix,
                       properties={"linger.ms": 5, "fetch.wait.max.ms": 20}, properties_file=secrets)
    for words, environment in (
            (("-c", path), {}),
            ((), {"DEMARC_KAFKA_BROKERS": address, "DEMARC_KAFKA_TOPIC_PREFIX": prefix}),
            (("--set", f"kafka.topic_prefix={prefix}", "--brokers", address), {})):
        code, said, why = run(box, "audit-stream", "--json", *words, **environment)
        expect(code == 0 and json.loads(said)["verdict"] == "proven", words, environment, said, why)
        code, said, why = run(box, "tail", f"{prefix}.violations.v1", "--no-follow", "--from",
                              "beginning", *words,
                              **environment)
        lines = said.splitlines()
        expect(code == 0 and sum("203.0.113." in line and " open" in line for line in lines) == 5,
               "each alert once, and no line for its finding:", said, why)
    return "settings from a file, from variables and from options"


def refusals(box):
    """What is wrong in the settings is said with its place, and a secret never."""
    bad = os.path.join(box.directory, "bad.properties")
    with open(bad, "w", encoding="utf-8") as out:
        out.write("sasl.username=soc\nsasl.pasword=hunter2\n")
    at_line = config_file(box, "line.json", brokers="127.0.0.1:1", properties_file=bad)
    unknown = config_file(box, "unknown.json", brokers="127.0.0.1:1", borkers="x")
    for words, place in (
            (("-c", at_line), f"{bad}:2: "),
            (("-c", unknown), "unknown.json:1:"),
            (("--set", "kafka.brokers=127.0.0.1:1", "-X", "nonsense=1"), "kafka.properties: "),
            ((), "no brokers: set kafka.brokers")):
        for command in (("audit-stream",), ("tail", "demarc.violations.v1", "--no-follow")):
            code, said, why = run(box, *command, *words)
            expect(code == 78 and place in why and not said, command, words, code, why)
            expect("hunter2" not in why, "a secret is shown:", why)


def tests():
    yield "reading with the agent's settings", same_settings
    yield "refused settings of readers", refusals
