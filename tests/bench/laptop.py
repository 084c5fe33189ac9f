#!/usr/bin/env python3
"""Measures Precip on this machine beside Dagster 1.13.28 on the same trivial assets, in one run.

    tests/bench/laptop.py             everything (Dagster's daemon alone takes about half an hour)
    tests/bench/laptop.py --partitions 30    fewer partitions in every measurement of both
    tests/bench/laptop.py --without-daemon   leaves Dagster's daemon out, and says so

Dagster goes into a virtual environment of its own below the cache folder; Precip is built with
`cargo build --release`. Prints one row a measurement: seconds and peak memory of each, and the ratio.
Nothing else should run on the machine meanwhile.
"""

import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import dagster_venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def build_precip():
    """Answers the folder of the built programs."""
    subprocess.run(
        ["cargo", "build", "--release", "--quiet", "--package", "precip-bench"], cwd=ROOT, check=True
    )
    target = os.environ.get("CARGO_TARGET_DIR") or ROOT / "target"
    return pathlib.Path(target) / "release"


class Measured:
    """Wall seconds of a command, and the peak memory of its largest process in MiB."""

    def __init__(self, command, env, cwd):
        read, write = os.pipe()
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            # A process of its own, so that the children it counts are this command's only.
            os.close(read)
            done = subprocess.run(
                command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            os.write(write, f"{done.returncode} {peak}".encode())
            if done.returncode != 0:
                sys.stderr.buffer.write(done.stderr[-4000:])
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            code, peak = pipe.read().split()
        os.waitpid(child, 0)
        self.seconds = time.monotonic() - start
        self.mib = int(peak) / 1024
        if code != "0":
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

    def program(self, name, *arguments):
        return Measured([self.programs / name, *arguments], self.env, self.cwd)

    def backfill(self, module, assets, partitions):
        """A backfill by the daemon, measured from the request to its end."""
        daemon = subprocess.Popen(
            [self.programs / "dagster-daemon", "run", "-m", module, "-d", "."],
            env=self.env, cwd=self.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            # Only its work is measured, not its start.
            time.sleep(20)
            return self.program("python", "backfill.py", module, assets, str(partitions))
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

    def run(self, program, *arguments):
        return Measured([self.programs / program, *arguments], self.env, self.home)


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
        def once():
            with Precip(precip_programs) as project:
                return project.run(program, *command)

        return best(once, 5)

    def dagster(*command):
        with Dagster(dagster_programs) as project:
            return project.program(*command)

    def daemon(module, assets):
        with Dagster(dagster_programs) as project:
            return project.backfill(module, assets, count)

    rows = []

    def row(what, ours, theirs, how):
        rows.append((what, ours, theirs, how))
        print(
            f"{what:<34} {ours.seconds:>9.3f} s {ours.mib:>7.1f} MiB   "
            f"{theirs.seconds:>9.2f} s {theirs.mib:>7.1f} MiB   "
            f"{theirs.seconds / ours.seconds:>8.0f}x {theirs.mib / ours.mib:>6.1f}x   {how}",
            flush=True,
        )

    print(f"{'':<34} {'Precip':>23}   {f'Dagster {dagster_venv.VERSION}':>24}   {'time':>9} {'memory':>7}")
    for what, select, assets in [
        (f"{count} partitions of one asset", "one", "one"),
        (f"{count} partitions of a chain of 3", "key:first+", "first,second,third"),
    ]:
        ours = precip("bench-daily", "materialize", "--select", select, "--partitions", days)
        name = "one" if assets == "one" else "chain"
        row(what, ours, dagster("python", "in_process.py", name, str(count)), "materialize() in one process")
        if not arguments.without_daemon:
            row(what, ours, daemon("assets_single_run", assets), "daemon, BackfillPolicy.single_run")
            row(what, ours, daemon("assets_daily", assets), "daemon, default policy")
    one = ("--select", "one", "--partitions", "2023-01-01")
    row(
        "one partition, command line",
        precip("bench-daily", "materialize", *one),
        dagster("dagster", "asset", "materialize", "-m", "assets_daily", "--select", "one", "--partition", "2023-01-01"),
        "dagster asset materialize",
    )
    row("--version", precip("bench-daily", "--version"), dagster("dagster", "--version"), "dagster --version")
    row(
        "list 1,000 assets",
        precip("bench-many", "assets"),
        dagster("dagster", "asset", "list", "-m", "assets_many"),
        "dagster asset list",
    )
    if arguments.without_daemon:
        print("Dagster's daemon was left out; --without-daemon was given.")


if __name__ == "__main__":
    main()
