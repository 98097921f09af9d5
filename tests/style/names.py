# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""bpftool shows 15 characters of a name; a longer one is a stump there."""
import re

LAW = "names of programs and maps are at most 15 characters (BPF_OBJ_NAME_LEN)"

LONGEST = 15
MAP = re.compile(r"^}\s*(\w+)\s+SEC\(\"\.maps\"\)", re.M)
PROGRAM = re.compile(r"^SEC\(\"(?!\.maps|license|version)[^\"]*\"\)\s*\n(?:[\w\s*]*?)"
                     r"(?:BPF_PROG\(|BPF_KPROBE\(|BPF_UPROBE\()?(\w+)\s*[(,)]", re.M)


def breaches(tree):
    found = []
    for name in tree.files(".c", ".h", under=("bpf/",)):
        text = tree.text(name)
        for match in [*MAP.finditer(text), *PROGRAM.finditer(text)]:
            if len(match[1]) > LONGEST:
                number = text.count("\n", 0, match.start(1)) + 1
                found.append(f"{name}:{number}: {match[1]} has {len(match[1])} characters")
    return found


PLANTED = {
    "bpf/maps.bpf.c": 'struct {\n} a_map_of_sixteen SEC(".maps");\n',
    "bpf/programs.bpf.c": 'SEC("cgroup_skb/egress")\nint\na_prog_of_sixtee(struct __sk_buff *s)\n{\n}\n',
    "bpf/traced.bpf.c": 'SEC("tp_btf/sched_process_exec")\nint\n'
                        "BPF_PROG(a_prog_of_sixtee, void *p)\n{\n}\n",
}
SOUND = {
    "bpf/fits.bpf.c": 'struct {\n} a_map_of_fiftee SEC(".maps");\n\nSEC("tp_btf/x")\nint\n'
                      "BPF_PROG(process_exec, void *p)\n{\n}\n",
}
