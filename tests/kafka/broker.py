#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""broker - a real Apache Kafka on loopback, from the jars of build/kafka.

    tests/kafka/broker.py BUILD DIRECTORY [TOPIC...]

starts one node with its data and logs in DIRECTORY, makes the topics, prints the
address of its plaintext listener and runs until it gets SIGTERM or its standard
input ends.

In tests: Cluster(build, directory, nodes). Each node is broker and controller in
KRaft mode, with listeners PLAIN, TLS, MTLS, WRONG (a certificate for another
name), SASL (SCRAM-SHA-256 and PLAIN over TLS) and AWAY (which says that it is at a
documentation address). Whatever was started ends with the process that started it.
"""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import certificates

HEAP = ("-Xmx512m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
LISTENERS = {"PLAIN": "PLAINTEXT", "CTRL": "PLAINTEXT", "TLS": "SSL", "MTLS": "SSL", "WRONG": "SSL",
             "SASL": "SASL_SSL", "AWAY": "PLAINTEXT"}
AWAY = "203.0.113.9"  # where the listener of that name says it is
USER, PASSWORD = "agent", "first-password"
CLUSTER_ID = "ZGVtYXJjLXRlc3RzLTEyMw"  # any 16 bytes in base64

PROPERTIES = """
process.roles=broker,controller
node.id={node}
controller.listener.names=CTRL
inter.broker.listener.name=PLAIN
controller.quorum.voters={voters}
listeners={listeners}
advertised.listeners={advertised}
listener.security.protocol.map={protocols}
log.dirs={directory}/data
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
default.replication.factor=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.keystore.location={certificates}/broker.both.pem
ssl.truststore.location={certificates}/ca.pem
listener.name.wrong.ssl.keystore.location={certificates}/wrong.both.pem
listener.name.mtls.ssl.client.auth=required
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN
listener.name.sasl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Node:
    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.directory = os.path.join(cluster.directory, f"node{number}")
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS))))
        self.properties = os.path.join(self.directory, "server.properties")
        self.log = os.path.join(self.directory, "broker.log")
        self.process = None

    def write(self, voters):
        os.makedirs(self.directory)
        urls = {name: f"{name}://127.0.0.1:{port}" for name, port in self.ports.items()}
        with open(self.properties, "w") as out:
            out.write(PROPERTIES.format(
                node=self.number, voters=voters, listeners=",".join(urls.values()),
                advertised=",".join(url.replace("127.0.0.1", AWAY) if name == "AWAY" else url
                                    for name, url in urls.items() if name != "CTRL"),
                protocols=",".join(f"{name}:{protocol}" for name, protocol in LISTENERS.items()),
                directory=self.directory, certificates=self.cluster.certificates,
                user=USER, password=PASSWORD))

    def java(self, *words, **more):
        log = open(self.log, "ab")
        with log:
            return subprocess.Popen(
                ["java", *HEAP, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                 "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp", self.cluster.path, *words],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **more)

    def format(self):
        done = self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", self.properties,
                         "--add-scram", f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]").wait()
        if done:
            raise RuntimeError(f"the storage of the broker could not be formatted: {self.tail()}")

    def start(self):
        self.process = self.java("kafka.Kafka", self.properties)

    def wait(self, seconds=60):
        end = time.monotonic() + seconds
        while not self.is_listening():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the broker did not start: {self.tail()}")
            time.sleep(0.05)

    def is_listening(self, name="PLAIN"):
        try:
            socket.create_connection(("127.0.0.1", self.ports[name]), 1).close()
            return True
        except OSError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def tail(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-1500:]

    def address(self, name="PLAIN"):
        return f"127.0.0.1:{self.ports[name]}"


class Cluster:
    def __init__(self, build, directory, nodes=1, lib="lib"):
        self.directory = os.path.abspath(directory)
        kafka = os.path.abspath(os.path.join(build, "kafka"))
        self.path = f"{kafka}/classes:{kafka}/{lib}/*"
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.certificates = certificates.make(os.path.join(self.directory, "certificates"))
        self.nodes = [Node(self, number + 1) for number in range(nodes)]
        self.tool_process = None

    def __enter__(self):
        voters = ",".join(f"{node.number}@{node.address('CTRL')}" for node in self.nodes)
        for node in self.nodes:
            node.write(voters)
            node.format()
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait()
        return self

    def close(self):
        self.end_tool()
        for node in self.nodes:
            node.kill()

    def address(self, name="PLAIN"):
        return ",".join(node.address(name) for node in self.nodes)

    def end_tool(self):
        if self.tool_process:
            self.tool_process.kill()
            self.tool_process.wait()
            self.tool_process = None

    def _ask(self, words):
        if not self.tool_process:
            self.tool_process = subprocess.Popen(
                ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "-cp", self.path, "Tool",
                 self.address()],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                preexec_fn=die_with_parent)
        self.tool_process.stdin.write("\t".join(map(str, words)) + "\n")
        self.tool_process.stdin.flush()

    def tool(self, *words):
        """One command of Tool.java; the lines that it gave."""
        self._ask(words)
        lines = []
        for line in self.tool_process.stdout:
            line = line.rstrip("\n")
            if line == "done":
                return lines
            if line.startswith("failed "):
                raise RuntimeError(f"{' '.join(map(str, words))}: {line}")
            lines.append(line)
        raise RuntimeError("the broker's tool ended")

    def create(self, topic, partitions=2, copies=1, **settings):
        self.tool("create", topic, partitions, copies,
                  *(f"{name.replace('__', '.')}={value}" for name, value in settings.items()))


def main(build, directory, *topics):
    with Cluster(build, directory) as cluster:
        cluster.start()
        for topic in topics:
            cluster.create(topic)
        cluster.end_tool()
        print(cluster.address(), flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
