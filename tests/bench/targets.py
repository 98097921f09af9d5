# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""targets - what we aim at, what was measured, and tables of it. Pure: results in, text out."""
MIB = 1 << 20


def dig(results, *keys):
    for key in keys:
        if not isinstance(results, dict) or results.get(key) is None:
            return None
        results = results[key]
    return results


def added(label, unit=1):
    def value(results):
        found = dig(results, "cost", "variants", "demarc", label, "added_ns")
        return None if found is None else found / unit
    return value


def slower(label):
    def value(results):
        found = dig(results, "cost", "variants", "demarc", label, "ratio")
        return None if found is None else (found - 1) * 100
    return value


def per_second(mode):
    def value(results):
        whole = dig(results, "pipeline", mode)
        return whole and (0 if whole["shed"] else whole["records"] / whole["seconds"])
    return value


def at(*keys, unit=1):
    def value(results):
        found = dig(results, *keys)
        return None if found is None else found / unit
    return value


# what, unit, how it is read, limit, stretch (or None), True: at least, not at most
TARGETS = (
    ("connect, loopback", "ns added", added("loopback connect"), 900, 600, False),
    ("connect, veth: a new flow", "ns added", added("veth connect"), 900, 600, False),
    ("udp to a known destination, loopback", "ns added", added("loopback udp"), 400, 300, False),
    ("udp to a known destination, veth", "ns added", added("veth udp"), 400, 300, False),
    ("ping-pong, loopback", "ns added", added("loopback pp"), 500, 300, False),
    ("ping-pong, veth", "ns added", added("veth pp"), 500, 300, False),
    ("exec", "us added", added("exec", 1000), 10, None, False),
    ("a system call nobody asked about", "ns added", added("other"), 50, 0, False),
    ("bulk TCP, loopback", "% slower", slower("loopback bulk"), 1, None, False),
    ("bulk TCP, veth", "% slower", slower("veth bulk"), 1, None, False),
    ("100k connects to one destination", "s of agent CPU",
     at("cost", "cpu_s_per_100k_connects", "demarc"), 0.05, None, False),
    ("100k connects to new ones, judged and journalled", "s of agent CPU",
     at("new_cpu", "cpu_s_per_100k"), 0.4, None, False),
    ("peak resident memory, 65,536 flows, 1,000 rules, no location database", "MiB",
     at("memory", "kib", "VmHWM", unit=1024), 24, None, False),
    ("first event after exec, fresh", "ms", at("start", "fresh", "median_ms"), 100, None, False),
    ("first event after exec, adopted", "ms", at("adopted", "median_ms"), 100, None, False),
    ("first event after exec, 10,000 processes and sockets", "ms",
     at("start", "crowded", "median_ms"), 1000, None, False),
    ("pipeline on one core, default (allowed flows folded)", "events/s", per_second("folded"),
     300000, None, True),
    ("pipeline on one core, every event an entry on disk", "events/s", per_second("each"), 300000,
     None, True),
    ("ring records without loss, with the load on the same 2 cores", "records/s",
     at("lossless", "records", "best", "records_per_s"), 200000, None, True),
    ("refused connect, guest instructions", "added", at("guard", "figures", "added refused"), 900,
     None, False),
)


def number(value):
    if abs(value) >= 10000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def judge(results):
    """Rows of (what, measured, target, word)."""
    rows = []
    for what, unit, read, limit, stretch, least in TARGETS:
        value = read(results)
        target = f"at {'least' if least else 'most'} {number(limit)}"
        if stretch is not None:
            target += f"; stretch {number(stretch)}"
        if value is None:
            rows.append((what, "not measured", target, "-"))
            continue
        reached = value >= limit if least else value <= limit
        word = "reached" if reached else "missed"
        if reached and stretch is not None and value <= stretch:
            word = "stretch reached"
        rows.append((what, f"{number(value)} {unit}", target, word))
    return rows


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def cost_rows(results):
    for name, labels in (dig(results, "cost", "variants") or {}).items():
        for label, row in labels.items():
            scale, unit = (1000, " us") if row["off_ns"] > 100000 else (1, " ns")
            spread = (f"{row['added_least_ns'] / scale:+,.0f} .. "
                      f"{row['added_most_ns'] / scale:+,.0f}")
            yield (name, label, f"{row['off_ns'] / scale:,.0f}{unit}",
                   f"{row['on_ns'] / scale:,.0f}{unit}", f"{row['added_ns'] / scale:+,.0f}", spread,
                   f"{row['ratio']:.3f}")


def rest_lines(results):
    cpu = dig(results, "cost", "cpu_s_per_100k_connects") or {}
    for name, seconds in cpu.items():
        yield f"- CPU of {name} per 100,000 connects over veth: {seconds:.2f} s"
    for name, why in (dig(results, "absent") or {}).items():
        yield f"- {name}: {why}"
    found = dig(results, "memory")
    if found:
        kib = found["kib"]
        yield (f"- memory with {found['flows']:,} flows and {found['rules']:,} rules: peak resident "
               f"{kib['VmHWM'] / 1024:.1f} MiB (RssAnon {kib['RssAnon'] / 1024:.1f}, RssFile "
               f"{kib['RssFile'] / 1024:.1f}, RssShmem {kib['RssShmem'] / 1024:.1f}; "
               f"of it {found['mapped_kib'] / 1024:.1f} are mappings of the kernel's rings); the "
               f"kernel's maps: {found['map_bytes'] / MIB:.1f} MiB")
    found = dig(results, "new_cpu")
    if found:
        yield (f"- CPU of demarc per 100,000 connects to new places: {found['cpu_s_per_100k']:.2f} s, "
               f"with {found['entries']:,} entries for 30,000, {found['lost']} lost")
    found = dig(results, "idle")
    if found:
        yield (f"- idle: {found['wakeups_per_s']:.0f} wake-ups a second, "
               f"{found['cpu_share']:.1%} of a core")
    starts = {**(dig(results, "start") or {}), "adopted": dig(results, "adopted")}
    for name, told in starts.items():
        if not told:
            continue
        yield f"- start to first event, {name}: {told['median_ms']:.0f} ms, {told['most_ms']:.0f} at most"
    for name, climbed in (dig(results, "lossless") or {}).items():
        best = climbed["best"]
        told = f"{best[name + '_per_s']:,.0f}/s" if best else "none"
        yield (f"- {'ring records' if name == 'records' else 'journal entries'} without loss: "
               f"{told}; above that: {climbed['ended']}")
    yield from pipeline_lines(results)
    figures = dig(results, "guard", "figures") or {}
    counted = [f"{name[6:]} {figures[name]:+,.0f} on {figures['base ' + name[6:]]:,.0f}"
               for name in figures if name.startswith("added ")]
    if counted:
        yield f"- guest instructions added, Linux {results['guard']['kernel']}: " + ", ".join(counted)
    for load, programs in (dig(results, "guard", "profile") or {}).items():
        told = [f"{program} {instructions:,.0f} in {runs:.2g}" for program, (runs, instructions)
                in sorted(programs.items(), key=lambda row: -row[1][1]) if instructions >= 10]
        if told:
            yield f"- of these in programs, instructions and runs, {load}: " + ", ".join(told)


def pipeline_lines(results):
    found = dig(results, "pipeline")
    if not found:
        return
    stages = ", ".join(f"{name} {value:.0f}" for name, value in found["stages"].items())
    yield (f"- pipeline, ns a record and stage: {stages} (write: an entry of "
           f"{found['entry_bytes']:.0f} bytes)")
    for mode in ("folded", "each"):
        whole = found[mode]
        yield (f"- the whole of {whole['records']:,} records, `journal.flows={mode}`: "
               f"{whole['records'] / whole['seconds']:,.0f} records/s, {whole['entries']:,} entries, "
               f"{whole['cpu_seconds'] / whole['records'] * 1e9:,.0f} ns of CPU a record, "
               f"{whole['shed']} shed")


def markdown(results):
    about = results["about"]
    lines = [f"`make bench`, {about['date']}, {about['machine']}, Linux {about['kernel']}, demarc "
             f"{about['revision']}: {about['rounds']} rounds of {about['seconds']} s a load, off and "
             "on alternately; medians; both ends of a timed load on one core.", ""]
    others = [f"{part} at {revision}" for part, revision in results.get("measured", {}).items()
              if revision != about["revision"]]
    if others:
        lines += ["Measured in other runs: " + ", ".join(others) + ".", ""]
    lines += table(("target", "measured", "aim", ""), judge(results))
    lines += [""] + table(("tracer", "load", "off", "on", "added", "spread", "ratio"),
                          list(cost_rows(results)))
    lines += ["", *rest_lines(results)]
    return "\n".join(lines) + "\n"


def readme(results):
    """The few lines that the README shows."""
    return "\n".join(table(("", "measured", "aim", ""), judge(results))) + "\n"
