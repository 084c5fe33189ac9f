#!/usr/bin/env python3
"""Measures Precip on this machine next to Dagster 1.13.28 on the same trivial assets, in one run.

    tests/bench/laptop.py             everything (Dagster's daemon alone takes about half an hour)
    tests/bench/laptop.py --partitions 30    fewer partitions in every measurement of both
    tests/bench/laptop.py --without-daemon   leaves Dagster's daemon out, and says so

Dagster goes into a virtual environment of its own below the cache folder; Precip is built with
`cargo build --release`. Prints one row a measurement: wall seconds, CPU seconds and peak memory of each,
and the ratios. The seconds of Precip are those of the quickest of five runs. Nothing else should run on
the machine meanwhile; where something does, the CPU seconds tell more. Reads /proc, so it needs Linux.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import dagster_venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def build_precip():
    """Returns the folder of the built programs."""
    subprocess.run(["cargo", "build", "--release", "--quiet", "--package", "precip-bench"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    return pathlib.Path(target) / "release"


def tree(process):
    """A process and all that it started and that is still there."""
    yield process
    try:
        children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def memory(process):
    """Returns the memory of a process, in KiB; a shared page is split among its processes."""
    try:
        lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def processor(process):
    """The CPU seconds of a process and of what it has started, whether that is still there or not."""
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    # User and system time, its own and that of children that have ended: fields 14 to 17.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def processors(roots):
    return sum(processor(process) for root in roots for process in tree(root))


class Watch(threading.Thread):
    """Looks again and again at what some processes, and those that they start, hold together."""

    def __init__(self, roots, every):
        super().__init__(daemon=True)
        self.roots, self.every = roots, every
        self.peak, self.over = 0, threading.Event()

    def run(self):
        while not self.over.is_set():
            held = sum(memory(process) for root in self.roots for process in tree(root))
            self.peak = max(self.peak, held)
            self.over.wait(self.every)


class Measured:
    """Wall seconds of a command, and the CPU seconds and peak memory in MiB of its processes and of `others`.

    The memory is looked at every so many seconds; not at all without `every`.
    """

    def __init__(self, command, env, cwd, others=(), every=None):
        with tempfile.TemporaryFile() as errors:
            before = processors(others)
            start = time.monotonic()
            child = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=errors)
            watch = Watch([child.pid, *others], every)
            if every:
                watch.start()
            _, status, used = os.wait4(child.pid, 0)
            self.seconds = time.monotonic() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            watch.over.set()
            self.cpu = used.ru_utime + used.ru_stime + processors(others) - before
            self.mib = watch.peak / 1024
            if child.returncode != 0:
                errors.seek(0)
                sys.stderr.write(errors.read()[-4000:].decode(errors="replace"))
                raise SystemExit(f"failed: {' '.join(map(str, command))}")


class Dagster:
    def __init__(self, programs):
        self.programs = programs
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="dagster-home-"))
        (self.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.env = {**os.environ, "DAGSTER_HOME": str(self.home), "DAGSTER_DISABLE_TELEMETRY": "1"}
        self.cwd = HERE / "dagster"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def program(self, name, *arguments, others=()):
        return Measured([self.programs / name, *arguments], self.env, self.cwd, others, every=0.1)

    def backfill(self, module, assets, partitions):
        """A backfill by the daemon, measured from the request to its end."""
        daemon = subprocess.Popen(
            [self.programs / "dagster-daemon", "run", "-m", module, "-d", "."],
            env=self.env,
            cwd=self.cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            # Only its work is measured, not its start.
            time.sleep(20)
            return self.program("python", "backfill.py", module, assets, str(partitions), others=[daemon.pid])
        finally:
            os.killpg(daemon.pid, signal.SIGTERM)
            daemon.wait()


class Precip:
    def __init__(self, programs):
        self.programs = programs
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="precip-home-"))
        self.env = {**os.environ, "PRECIP_HOME": str(self.home / "home")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, program, *arguments, every=None):
        return Measured([self.programs / program, *arguments], self.env, self.home, every=every)


def best(measure, times):
    """The quickest of several runs: what the machine disturbs least."""
    return min((measure() for _ in range(times)), key=lambda measured: measured.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--partitions", type=int, default=365)
    parser.add_argument("--without-daemon", action="store_true")
    arguments = parser.parse_args()
    count = arguments.partitions
    days = f"2023-01-01...{time.strftime('%Y-%m-%d', time.gmtime(1672531200 + 86400 * (count - 1)))}"
    dagster_programs, precip_programs = dagster_venv.install(), build_precip()

    def precip(program, *command):
        def once(every=None):
            with Precip(precip_programs) as project:
                return project.run(program, *command, every=every)

        quickest = best(once, 5)
        # Looking costs time, and the process does not run long: it is looked at in runs of their own.
        quickest.mib = max(once(every=0.0005).mib for _ in range(10))
        return quickest

    def dagster(*command):
        with Dagster(dagster_programs) as project:
            return project.program(*command)

    def daemon(module, assets):
        with Dagster(dagster_programs) as project:
            return project.backfill(module, assets, count)

    def row(what, ours, theirs, how):
        def side(measured):
            return f"{measured.seconds:>8.3f} {measured.cpu:>8.3f} {measured.mib:>6.1f}"

        def ratio(of):
            return f"{of(theirs) / of(ours):>6.0f}x"

        ratios = [ratio(lambda measured: measured.seconds), ratio(lambda measured: measured.cpu)]
        ratios.append(f"{theirs.mib / ours.mib:>5.1f}x" if ours.mib else f"{'-':>6}")
        print(f"{what:<32} {side(ours)}  {side(theirs)}  {' '.join(ratios)}  {how}", flush=True)

    columns = f"{'wall s':>8} {'CPU s':>8} {'MiB':>6}"
    print(f"{'':<32} {'Precip':>24}  {f'Dagster {dagster_venv.VERSION}':>24}")
    print(f"{'':<32} {columns}  {columns}  {'wall':>7} {'CPU':>7} {'MiB':>6}")
    one = ("--select", "one", "--partitions", "2023-01-01")
    row(
        "one partition, command line",
        precip("bench-daily", "materialize", *one),
        dagster(
            "dagster", "asset", "materialize", "-m", "assets_daily", "--select", "one", "--partition", "2023-01-01"
        ),
        "dagster asset materialize",
    )
    row("--version", precip("bench-daily", "--version"), dagster("dagster", "--version"), "dagster --version")
    row(
        "list 1,000 assets",
        precip("bench-many", "assets"),
        dagster("dagster", "asset", "list", "-m", "assets_many"),
        "dagster asset list",
    )
    # What takes longest comes last, so that a run that is stopped has most of it.
    backfills = [
        (f"{count} partitions of one asset", "one", "one", "one"),
        (f"{count} partitions of a chain of 3", "key:first+", "chain", "first,second,third"),
    ]
    ways = [("materialize() in one process", lambda name, _: dagster("python", "in_process.py", name, str(count)))]
    if not arguments.without_daemon:
        ways += [
            ("daemon, BackfillPolicy.single_run", lambda _, assets: daemon("assets_single_run", assets)),
            ("daemon, default policy", lambda _, assets: daemon("assets_daily", assets)),
        ]
    for how, measure in ways:
        for what, select, name, assets in backfills:
            # Measured again each time, so that both are measured in the same minute.
            ours = precip("bench-daily", "materialize", "--select", select, "--partitions", days)
            row(what, ours, measure(name, assets), how)
    if arguments.without_daemon:
        print("Dagster's daemon was left out; --without-daemon was given.")


if __name__ == "__main__":
    main()
