#!/usr/bin/env python3
"""Measures Precip's core: the plan and the automation ticks of a million partitions, next to Dagster 1.13.28, and each
step of the core by size.

    tests/bench/core.py                    everything
    tests/bench/core.py --without-dagster  leaves Dagster out
    tests/bench/core.py --steps plan       only the steps whose name contains `plan`

Dagster goes into a virtual environment of its own below the cache folder. Prints seconds, peak memory,
and by how much a step's time grows when its size grows tenfold: 10x is linear. Nothing else should run on
the machine meanwhile.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess

import dagster_venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = "precip-bench-core"
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
TICKS = ["first tick", "quiet tick", "tick after 100 updates"]


def run_once(command):
    """Returns what a command prints as JSON, and its peak memory in MiB."""
    environment = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return json.loads(printed), usage.ru_maxrss / 1024


def best(command, times, seconds):
    """Returns the fastest of several runs: the least disturbed one."""
    return min((run_once(command) for _ in range(times)), key=lambda run: seconds(run[0]))


def build():
    """Builds the program that runs one step once, and returns its path."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--package", PACKAGE], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    return pathlib.Path(target) / "release" / "bench-core"


def plans(program):
    print("A plan of 1,000 assets x 1,000 days")
    for what, argument in [("all", "plan"), ("two of three missing", "plan-missing")]:
        run, mib = best([program, argument], 5, lambda run: run["plan"])
        print(
            f"  {what:<24} {run['plan']:>9.4f} s {mib:>7.1f} MiB   {run['pairs']:,} pairs in"
            f" {run['waves']} waves, {run['bytes'] / 1024:,.0f} KiB as JSON;"
            f" the graph {run['graph']:.4f} s",
            flush=True,
        )


def ticks(program, dagster):
    print("Automation ticks of 1,000 assets x 1,000 days")
    for condition in ["eager", "missing"]:
        ours, mib = best([program, condition], 5, lambda run: sum(run["seconds"]))
        theirs = None
        if dagster:
            theirs, their_mib = run_once([dagster / "python", HERE / "core" / "dagster_ticks.py", condition])
        for number, tick in enumerate(TICKS):
            seconds, requested = ours["seconds"][number], ours["requested"][number]
            line = f"  {condition + ', ' + tick:<32} {seconds:>9.4f} s {mib:>7.1f} MiB"
            if theirs:
                line += (
                    f"   Dagster {theirs['seconds'][number]:>8.2f} s CPU {their_mib:>7.1f} MiB"
                    f" {theirs['seconds'][number] / seconds:>8.0f}x"
                )
            line += f"   {requested:,} requested"
            if theirs and theirs["requested"][number] != requested:
                line += f", by Dagster {theirs['requested'][number]:,}"
            print(line, flush=True)


def medians(filters):
    """Yields each step's median seconds by size, as `cargo bench` prints them."""
    bench = subprocess.Popen(
        ["cargo", "bench", "--quiet", "--package", PACKAGE, "--bench", "core", "--", *filters],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    path = []
    for line in bench.stdout:
        # `│  ├─ name   fastest unit  │ slowest unit  │ median unit  │ ...`: three places a level.
        found = re.match(r"^((?:[│ ]  )*)[├╰]─ (\S+)\s*(.*)$", line)
        if not found:
            continue
        indent, name, columns = found.groups()
        path = [*path[: len(indent) // 3], name]
        columns = columns.split("│")
        if len(columns) > 3 and name.isdecimal():
            number, unit = columns[2].split()
            yield "/".join(path[:-1]), int(name), float(number) * UNITS[unit]
    if bench.wait() != 0:
        raise SystemExit("failed: cargo bench")


def readable(seconds):
    unit = next((unit for unit in ["ns", "µs", "ms"] if seconds < 1000 * UNITS[unit]), "s")
    return f"{seconds / UNITS[unit]:.3g} {unit}"


def steps(filters):
    print("Each step by size: median time, and how it grew from the size before (10x is linear)")
    step, before = None, None
    for name, size, seconds in medians(filters):
        if name != step:
            step, before = name, None
            print(f"  {name}")
        growth = f"{seconds / before:>8.1f}x" if before else ""
        print(f"    {size:>12,} {readable(seconds):>10} {growth}", flush=True)
        before = seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-dagster", action="store_true")
    parser.add_argument("--steps", action="append", default=[], metavar="NAME")
    arguments = parser.parse_args()
    dagster = None if arguments.without_dagster else dagster_venv.install()
    program = build()
    if not arguments.steps:
        plans(program)
        ticks(program, dagster)
    steps(arguments.steps)


if __name__ == "__main__":
    main()
