# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""TLS both ways, names of certificates, passwords; and what changes while the agent runs."""
import os
import re
import shutil
import subprocess
import time

import harness
from harness import expect, wait_until
from broker import PASSWORD, USER

AWAY = "203.0.113"


def properties(box, name, **values):
    return box.write(name, "".join(f"{key.replace('__', '.')}={value}\n"
                                   for key, value in values.items()))


def certificate(box, name):
    return os.path.join(box.cluster.certificates, name)


def delivers(box, listener, cluster=None, **values):
    """Streams over that listener; the proof is read over the plain one."""
    cluster = cluster or box.cluster
    prefix = box.prefix(cluster)
    path = properties(box, f"{prefix}.properties", ssl__ca__location=os.path.join(
        cluster.certificates, "ca.pem"), **values)
    with box.agent(prefix, brokers=cluster.address(listener), kafka__properties_file=path) as agent:
        box.send_many(AWAY, 0, 20, 0)
        box.end(agent)
    box.same(prefix, agent.state, address=cluster.address())
    box.proven(prefix, brokers=cluster.address())


def refused(box, listener, words, **values):
    """Nothing gets through, the agent says why and works on."""
    prefix = box.prefix()
    path = properties(box, f"{prefix}.properties", ssl__ca__location=certificate(box, "ca.pem"),
                      **values)
    with box.agent(prefix, brokers=box.cluster.address(listener), kafka__properties_file=path,
                   ) as agent:
        box.send_many(AWAY, 0, 5, 0)
        wait_until(lambda: re.search(words, str(agent.status()["kafka"])), 20,
                   f"the status to say {words}: {agent.status()['kafka']}")
        expect(not box.kcat(f"{prefix}.violations.v1"), "messages got through")
        expect(agent.stop() == 0, agent.tail())


def tls(box):
    delivers(box, "TLS", security__protocol="ssl")


def mutual(box):
    delivers(box, "MTLS", security__protocol="ssl",
             ssl__certificate__location=certificate(box, "client.pem"),
             ssl__key__location=certificate(box, "client.key"))
    refused(box, "MTLS", "(?i)ssl|certificate|handshake", security__protocol="ssl")


def wrong_name(box):
    refused(box, "WRONG", "(?i)certificate verify failed", security__protocol="ssl",
            ssl__endpoint__identification__algorithm="https")


def plain(box):
    delivers(box, "SASL", security__protocol="sasl_ssl", sasl__mechanism="PLAIN",
             sasl__username=USER, sasl__password=PASSWORD)


def scram(box):
    """librdkafka before 2.6.1 and brokers from 4.0 on do not understand each other."""
    version = subprocess.run([box.demarc, "version"], stdout=subprocess.PIPE, text=True).stdout
    told = re.search(r"librdkafka\D+(\d+)\.(\d+)\.(\d+)", version)
    is_new = told and tuple(map(int, told.groups())) >= (2, 6, 1)
    values = {"security__protocol": "sasl_ssl", "sasl__mechanism": "SCRAM-SHA-256",
              "sasl__username": USER, "sasl__password": PASSWORD}
    if is_new:
        delivers(box, "SASL", **values)
        return None
    cluster = box.open_cluster("older", lib="lib-3.9")
    try:
        delivers(box, "SASL", cluster, **values)
    finally:
        cluster.close()
    return "against Kafka 3.9: this librdkafka's SCRAM is refused by 4.0 and later"


def rotation(box):
    """A wrong password, then the right one in the same file: no restart, nothing lost."""
    prefix = box.prefix()
    values = {"security__protocol": "sasl_ssl", "sasl__mechanism": "PLAIN", "sasl__username": USER,
              "ssl__ca__location": certificate(box, "ca.pem")}
    path = properties(box, "rotating.properties", sasl__password="wrong", **values)
    with box.agent(prefix, brokers=box.cluster.address("SASL"), kafka__properties_file=path) as agent:
        pid = agent.process.pid
        box.send_many(AWAY, 0, 10, 0)
        wait_until(lambda: "uthentication" in str(agent.status()["kafka"]), 20, "the refusal")
        expect("wrong" not in agent.log(), "the log shows the password")
        properties(box, "rotating.properties", sasl__password=PASSWORD, **values)
        box.send_many(AWAY, 10, 10, 0)
        box.end(agent)
        expect(agent.process.pid == pid, "another process")
    box.same(prefix, agent.state)
    box.proven(prefix)


def certificates(box):
    """A client certificate that the broker does not trust, replaced by one that it does."""
    prefix = box.prefix()
    for part in ("pem", "key"):
        shutil.copy(certificate(box, f"stranger.{part}"), os.path.join(box.directory, f"own.{part}"))
    path = properties(box, "mutual.properties", security__protocol="ssl",
                      ssl__ca__location=certificate(box, "ca.pem"),
                      ssl__certificate__location=os.path.join(box.directory, "own.pem"),
                      ssl__key__location=os.path.join(box.directory, "own.key"))
    with box.agent(prefix, brokers=box.cluster.address("MTLS"), kafka__properties_file=path) as agent:
        box.send_many(AWAY, 0, 10, 0)
        time.sleep(2)
        expect(not box.kcat(f"{prefix}.violations.v1"), "a stranger's messages got through")
        for part in ("key", "pem"):
            shutil.copy(certificate(box, f"client.{part}"),
                        os.path.join(box.directory, f"own.{part}"))
        box.end(agent)
    box.same(prefix, agent.state)


def masked(box):
    """demarc check shows what is in effect, and no secret of it."""
    path = properties(box, "masked.properties", sasl__password="sesame-open", sasl__username=USER)
    done = subprocess.run([box.demarc, "check", "--all", "--set", "kafka.brokers=127.0.0.1:1",
                           "--set", "cluster=c", "--set", f"kafka.properties_file={path}",
                           "-X", "ssl.key.password=open-too"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    expect("sesame-open" not in done.stdout and "open-too" not in done.stdout, done.stdout)
    wrong = subprocess.run([box.demarc, "check", "--set", "kafka.brokers=127.0.0.1:1",
                            "--set", "cluster=c", "-X", "acks=perhaps"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    expect(wrong.returncode == 78 and "acks" in wrong.stdout, wrong.returncode, wrong.stdout)


def tests():
    yield "tls", tls
    yield "mutual tls", mutual
    yield "wrong name", wrong_name
    yield "sasl plain", plain
    yield "sasl scram", scram
    yield "password rotation", rotation
    yield "certificate rotation", certificates
    yield "secrets masked", masked
