# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The pure parts stay pure: what an object of theirs leaves undefined is all it can do to the world."""
import glob
import os
import re
import subprocess
import tempfile

LAW = "event, rule and place resolving open no file, read no clock, log nothing (nm -u, pure.txt)"

PURE = ("event", "rule", "place")
# Of our own base, what reaches outside.
IMPURE_BASE = re.compile(r"^(log_\w+|clock_(wall_ms|boot_ns|offset_ms)|buf_read_file|"
                         r"jsonc_parse_file|loop_\w+)$")
HERE = os.path.dirname(os.path.abspath(__file__))


def read_list(name):
    with open(os.path.join(HERE, name)) as lines:
        return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def symbols(path, option):
    listed = subprocess.run(["nm", option, "-P", path], stdout=subprocess.PIPE, text=True,
                            check=True).stdout
    return {line.split()[0].split("@")[0] for line in listed.splitlines() if line.strip()}


def exempt():
    """Source files that may touch files, each with its reason."""
    return {line.split(None, 1)[0] for line in read_list("impure.txt") if len(line.split()) > 1}


def is_ours(symbol, defined):
    return symbol in defined


def breaches_of(source, undefined, defined, allowed):
    for symbol in sorted(undefined):
        if is_ours(symbol, defined):
            if IMPURE_BASE.match(symbol):
                yield f"{source}:1: calls {symbol}"
        elif not any(pattern.match(symbol) for pattern in allowed):
            yield f"{source}:1: calls {symbol}, which tests/style/pure.txt does not list"


def breaches(tree):
    if tree.build is None:
        return planted_breaches(tree)
    objects = glob.glob(os.path.join(tree.build, "userspace", "*", "*.o"))
    if not objects:
        return [f"{tree.build}:1: no objects: build first"]
    defined = set().union(*(symbols(path, "-g") - symbols(path, "-u") for path in objects))
    allowed = [re.compile(line) for line in read_list("pure.txt")]
    free, found = exempt(), []
    for path in sorted(objects):
        source = os.path.relpath(path, tree.build)[:-2] + ".c"
        if source.split("/")[1] not in PURE or source in free:
            continue
        if os.path.exists(os.path.join(tree.root, source)):
            found += breaches_of(source, symbols(path, "-u"), defined, allowed)
    for source in free:
        if not os.path.exists(os.path.join(tree.root, source)):
            found.append(f"tests/style/impure.txt:1: {source} is not there")
    return found


def planted_breaches(tree):
    """Compile what was planted, and judge it like a pure object."""
    allowed, found = [re.compile(line) for line in read_list("pure.txt")], []
    with tempfile.TemporaryDirectory() as folder:
        for name in tree.files(".c"):
            path = os.path.join(folder, "planted.o")
            subprocess.run(["cc", "-w", "-c", "-o", path, os.path.join(tree.root, name)], check=True)
            found += breaches_of(name, symbols(path, "-u"), {"log_write", "buf_add"}, allowed)
    return found


PLANTED = {
    "userspace/rule/opens.c": "#include <stdio.h>\nint f(void) { return !fopen(\"/etc/x\", \"r\"); }\n",
    "userspace/rule/clock.c": "#include <time.h>\nlong f(void) { return (long)time(0); }\n",
    "userspace/event/logs.c": "void log_write(int);\nvoid f(void) { log_write(1); }\n",
    "userspace/place/thread.c": "#include <pthread.h>\nint f(pthread_mutex_t *m) "
                                "{ return pthread_mutex_lock(m); }\n",
}
SOUND = {
    "userspace/rule/sound.c": "#include <string.h>\nvoid buf_add(const char *);\n"
                              "int f(const char *a) { buf_add(a); return strcmp(a, \"x\"); }\n",
}
