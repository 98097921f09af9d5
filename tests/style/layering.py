# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Nothing points up: each folder knows only the seams below it, and no other folder's insides."""
import re

LAW = ("base <- wire <- event <- context, place, rule <- journal <- evidence, sink <- agent <- "
       "cmd_*: an #include never points up")

# What a folder of userspace/ may include of include/ besides base/.
SEAMS = {
    "base": {"loop.h"},
    "config": {"config.h", "config.def"},
    "source": {"wire.h", "event.h", "source.h", "probes.h", "carry.h"},
    "event": {"wire.h", "event.h"},
    "context": {"wire.h", "event.h", "context.h"},
    "place": {"event.h", "place.h"},
    "rule": {"wire.h", "event.h", "rule.h"},
    "journal": {"event.h", "journal.h", "carry.h"},
    "evidence": {"event.h", "journal.h", "evidence.h"},
    "sink": {"event.h", "journal.h", "sink.h"},
    "stream": {"event.h", "journal.h", "stream.h"},
    "consumer": {"consumer.h"},
    "audit": {"consumer.h", "audit.h"},
    "metrics": {"metrics.h", "metrics.def", "loop.h"},
}
# What a seam may include besides base/ and itself.
BELOW = {
    "wire.h": set(), "loop.h": set(), "config.h": {"config.def"}, "config.def": set(),
    "carry.h": set(), "source.h": {"wire.h"}, "probes.h": {"wire.h", "source.h", "carry.h"},
    "event.h": {"wire.h"}, "context.h": {"wire.h", "event.h"}, "place.h": {"event.h"},
    "rule.h": {"event.h"}, "journal.h": {"event.h"}, "evidence.h": {"event.h", "journal.h"},
    "sink.h": {"event.h"}, "stream.h": set(),
    "consumer.h": set(), "audit.h": {"consumer.h"}, "metrics.h": {"metrics.def"}, "metrics.def": set(),
}
# The agent knows every seam.
TOP = {"include/agent.h"}
# The compiler's own headers need no C library.
BPF_SYSTEM = re.compile(r"bpf/|linux/|asm/|std(bool|def|int|arg)\.h$")
INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def may(name, quoted, target):
    """None when name may include target, else why not."""
    parts = name.split("/")
    if "../" in target:
        return 'climbs with "../"'
    if parts[0] == "bpf":
        return may_bpf(quoted, target)
    if not quoted or parts[0] == "tests":
        return None
    if name.startswith("include/base/"):
        return None if target.startswith("base/") else "base knows only base"
    if name in TOP:
        return None
    if parts[0] == "include":
        known = BELOW.get(parts[1])
        if known is None:
            return "this seam is not in BELOW of tests/style/layering.py: say what it stands on"
        return None if target.startswith("base/") or target in known else f"{parts[1]} points up"
    if parts[0] == "userspace" and len(parts) > 2:
        return may_folder(parts[1], target)
    return None


def may_bpf(quoted, target):
    if not quoted:
        return None if BPF_SYSTEM.match(target) else "a probe includes no header of userspace"
    return None if "/" not in target else "a probe includes wire.h and headers of bpf/ only"


def may_folder(folder, target):
    seams = SEAMS.get(folder)
    if seams is None:
        return f"no folder {folder} in SEAMS of tests/style/layering.py: say what it stands on"
    if target.endswith(".skel.h"):
        return None if folder == "source" else "skeletons are the source's"
    if target.startswith(("base/", folder + "/")) or target in seams:
        return None
    if "/" not in target and target not in BELOW:
        return None  # of its own folder
    return f"userspace/{folder} must not know {target}"


def breaches(tree):
    found = []
    for name in tree.files(".c", ".h", under=("include/", "userspace/", "bpf/", "tests/")):
        for number, line in enumerate(tree.lines(name), 1):
            match = INCLUDE.match(line)
            why = match and may(name, match[1] == '"', match[2])
            if why:
                found.append(f"{name}:{number}: {match[2]}: {why}")
    return found


PLANTED = {
    "userspace/event/up.c": '#include "rule.h"\n',
    "userspace/rule/sideways.c": '#include "place/scope.h"\n',
    "userspace/place/climbs.c": '#include "../event/text.h"\n',
    "include/event.h": '#include "journal.h"\n',
    "include/base/low.h": '#include "event.h"\n',
    "bpf/reader.bpf.c": "#include <stdio.h>\n",
    "userspace/unheard/of.c": '#include "event.h"\n',
}
SOUND = {
    "userspace/rule/match.c": '#include <string.h>\n#include "event.h"\n#include "rule/ruleset.h"\n',
    "bpf/flow.bpf.c": '#include "probe.h"\n#include <bpf/bpf_helpers.h>\n',
}
