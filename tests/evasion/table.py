# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""table - the truth table in docs/coverage.md: one row a case, one column a kernel.

    table.py FILE KERNEL < "# cell KERNEL NAME LETTERS" lines      writes that kernel's column
"""
import os
import sys

BEGIN, END = "<!-- truth table: begin -->", "<!-- truth table: end -->"


def split(text):
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    return before, table, after


def read(path):
    """{kernel: {case: letters}}, and the columns in order."""
    with open(path) as file:
        lines = [line for line in split(file.read())[1].splitlines() if line.startswith("|")]
    if not lines:
        return {}
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in lines]
    kernels = rows[0][2:]
    return {kernel: {row[0]: row[at + 2].strip("`") for row in rows[2:]}
            for at, kernel in enumerate(kernels)}


def version(kernel):
    return [int(part) for part in kernel.split(".")]


def render(names, columns):
    """names: (case, what it tries); a case that no kernel ran is left blank."""
    kernels = sorted(columns, key=version)
    lines = ["| case | what it tries | " + " | ".join(kernels) + " |",
             "|---|---|" + "---|" * len(kernels)]
    for name, what in names:
        cells = [columns[kernel].get(name, "") for kernel in kernels]
        lines.append(f"| {name} | {what} | " + " | ".join(f"`{c}`" if c else "" for c in cells) + " |")
    return "\n".join(lines)


def write(path, names, kernel, cells):
    columns = read(path)
    columns.setdefault(kernel, {}).update(cells)
    with open(path) as file:
        before, _, after = split(file.read())
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{render(names, columns)}\n{END}{after}")


def differences(path, kernel, cells):
    """What stands in the file and is not so here. A kernel without a column differs in nothing."""
    known = read(path).get(kernel)
    if known is None:
        return []
    return [f"{name}: {letters} here, {known.get(name) or 'nothing'} in the table"
            for name, letters in cells.items() if known.get(name) not in (letters, "skip")]


def main():
    path, kernel = sys.argv[1:]
    sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
    import cases
    cells = {}
    for line in sys.stdin:
        words = line.split()
        if words[:3] == ["#", "cell", kernel]:
            cells[words[3]] = words[4]
    write(path, cases.names(), kernel, cells)


if __name__ == "__main__":
    main()
