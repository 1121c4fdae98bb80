#!/usr/bin/env python3
"""Runs the benches and prints their figures beside the machine's own limits.

    run.py [--only KEY] [--json FILE] [--markdown FILE] [--list]

Every program build/release/bench/*_bench answers `--list` (its keys, one a line) and
`--only KEY --json FILE`, and writes

    {"figures": {KEY: {"value": v, "unit": "us", "limit": l or null, "runs": [v, ...]}}}

where `limit` is what the bare machine does, measured in the same run, and `value` is the median
of `runs`. The two figures of the build are measured here. The JSON file gets
all figures and the machine; --markdown puts the table into the page, between its two marks.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build/release/bench"
# key: (must, good, True when smaller is better)
TARGETS = {
    "ingest_cpu_us": (2.0, 1.6, True),
    "path_cpu_us": (12, 8, True),
    "single_event_rate": (30_000, 50_000, False),
    "react_p99_ms": (20, 10, True),
    "fold_cpu_us": (1.5, 1.2, True),
    "rebuild_rate": (400_000, 800_000, False),
    "restart_s": (8, 4, True),
    "segment_50k_s": (1, 0.3, True),
    "letters_rate_20ms": (1_000, 2_500, False),
    "memory_server_mb": (100, 60, True),
    "memory_child_mb": (300, 200, True),
    "memory_1m_persons_mb": (1_500, 1_000, True),
    "build_full_s": (480, 300, True),
    "build_one_file_s": (20, 12, True),
}

# What the bare machine did where the targets were set (key: limit there). Machines differ: by how
# much a figure is apart from its limit can be compared where the figure itself cannot.
REFERENCE = {"ingest_cpu_us": 0.97, "fold_cpu_us": 0.47, "rebuild_rate": 1_900_000}


def machine():
    model = memory = ""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            memory = f"{int(line.split()[1]) / 1e6:.0f} GB"
    return f"{os.cpu_count()} x {model}, {memory}, Linux {platform.release()}"


def figure(runs, unit, limit=None):
    return {"value": statistics.median(runs), "unit": unit, "limit": limit, "runs": runs}


def timed(command):
    began = time.monotonic()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return round(time.monotonic() - began, 1)


def measure_build(keys):
    """Both figures of the build, in a directory of its own and without ccache."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="build-timed-", dir=ROOT / "build") as directory:
        subprocess.run(["cmake", "-S", ".", "-B", directory, "-G", "Ninja", "-DRIPEN_NO_CCACHE=ON",
                        "-DCMAKE_BUILD_TYPE=Release"], check=True, cwd=ROOT,
                       stdout=subprocess.DEVNULL)
        full = timed(["ninja", "-C", directory, "-j2"])
        if "build_full_s" in keys:
            figures["build_full_s"] = figure([full], "s")
        if "build_one_file_s" in keys:
            sources = [path for path in (ROOT / "src/flow").rglob("*.cc")
                       if not path.stem.endswith("_test")]
            largest = max(sources, key=lambda path: path.stat().st_size)
            runs = []
            for _ in range(3):
                largest.touch()
                runs.append(timed(["ninja", "-C", directory, "-j2"]))
            figures["build_one_file_s"] = figure(runs, "s")
    return figures


def programs():
    """{key: program} of everything that the build made."""
    found = {}
    for program in sorted(PROGRAMS.glob("*_bench")):
        listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
        found.update({key: program for key in listed.stdout.split()})
    return found


def measure(program, key):
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory, "figures.json")
        subprocess.run([program, "--only", key, "--json", report], check=True, cwd=ROOT,
                       stdout=sys.stderr)
        return json.loads(report.read_text())["figures"]


def verdict(key, value):
    if key not in TARGETS:
        return ""
    must, good, smaller = TARGETS[key]
    if value <= good if smaller else value >= good:
        return "good"
    return "ok" if (value <= must if smaller else value >= must) else "MISSED"


def number(value):
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(key, value, limit):
    """How far from the bare machine: 1 is as good as it; beside it what the must asks for."""
    if not limit:
        return "", ""
    def apart(figure, bare):
        smaller = TARGETS.get(key, (0, 0, True))[2]
        return figure / bare if smaller else bare / figure
    asked = ""
    if key in REFERENCE:
        asked = f"{apart(TARGETS[key][0], REFERENCE[key]):.1f}"
    return f"{apart(value, limit):.1f}", asked


def table(figures):
    lines = ["| figure | value | limit here | unit | must | good | | x limit | must x |",
             "|---|---|---|---|---|---|---|---|---|"]
    for key, entry in figures.items():
        must, good, _ = TARGETS.get(key, (None, None, True))
        times, asked = ratio(key, entry["value"], entry["limit"])
        limit = "" if entry["limit"] is None else number(entry["limit"])
        lines.append(f"| `{key}` | {number(entry['value'])} | {limit} | {entry['unit']} "
                     f"| {number(must)} | {number(good)} | {verdict(key, entry['value'])} "
                     f"| {times} | {asked} |")
    return "\n".join(lines)


def write_page(page, figures):
    """Puts the table between the page's two marks."""
    begin, end = "<!-- bench -->", "<!-- /bench -->"
    text = page.read_text()
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    today = time.strftime("%Y-%m-%d")
    loads = " ".join(f"{load:.1f}" for load in os.getloadavg())
    page.write_text(f"{before}{begin}\nMeasured {today} on {machine()}; load {loads}.\n\n"
                    f"{table(figures)}\n\n{end}{after}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", metavar="KEY")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--markdown", metavar="FILE", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    known = programs()
    build_keys = ["build_full_s", "build_one_file_s"]
    if arguments.list:
        print("\n".join([*known, *build_keys]))
        return 0
    wanted = [arguments.only] if arguments.only else list(dict.fromkeys([*TARGETS, *known]))
    figures, unmeasured = {}, []
    for key in wanted:
        if key in figures:
            continue
        try:
            if key in known:
                figures.update(measure(known[key], key))
            elif key in build_keys:
                figures.update(measure_build([key] if arguments.only else build_keys))
            else:
                unmeasured.append(f"{key}: no bench measures it")
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            unmeasured.append(f"{key}: {error}")
    print(machine())
    print(table(figures))
    for line in unmeasured:
        print(f"not measured: {line}")
    if arguments.json:
        report = {"figures": figures, "machine": machine()}
        pathlib.Path(arguments.json).write_text(json.dumps(report, indent=2) + "\n")
    if arguments.markdown:
        write_page(arguments.markdown, figures)
    return 1 if unmeasured else 0


if __name__ == "__main__":
    sys.exit(main())
