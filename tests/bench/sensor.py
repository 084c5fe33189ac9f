#!/usr/bin/env python3
"""A sensor of files on an emulator of AWS: how soon a run starts, and what many files take.

    tests/bench/sensor.py                      30 files one by one, 10,000 at once, next to Dagster
    tests/bench/sensor.py --files 500          fewer at once
    tests/bench/sensor.py --landings 5         fewer one by one
    tests/bench/sensor.py --without-dagster    without Dagster's sensor, and says so

Needs Rust, Python 3 and binutils (`strip`); tests/with/emulator installs the rest. Ends with 1 when a figure
is not what it has to be.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import backfill
import dagster_venv

ROOT = backfill.ROOT
STACK = "sensor"
FIRST_DAY = datetime.date(1990, 1, 1)
# How many partitions one invocation makes, which is not what is measured here, and how many messages a batch
# holds, as the template says.
BATCH = 1_000
# How many files are put at a time.
AT_ONCE = 16
# The most runs that this many files may become.
MOST_RUNS = 0.02


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000, help="files at once")
    parser.add_argument("--landings", type=int, default=30, help="files one by one")
    parser.add_argument("--dagster-landings", type=int, default=10, help="the same of Dagster's sensor")
    parser.add_argument("--without-dagster", action="store_true")
    parser.add_argument("--program", type=pathlib.Path, help="a program that was built already")
    parser.add_argument("--patience", type=int, default=3600, help="seconds until it is given up")
    return parser.parse_args()


def day(number):
    return (FIRST_DAY + datetime.timedelta(days=number)).isoformat()


def project(days):
    source = {
        "kind": "objects",
        "bucket": {"variable": {"name": "PRECIP_BUCKET"}},
        "filter": {"key": "landing/{date}.csv"},
    }
    asset = {"key": "orders", "keys": {"daily": [day(0), day(days)]}, "batch": BATCH}
    sensor = {"name": "landing", "source": source, "target": "orders", "default_status": "running"}
    return {"assets": [asset], "sensors": [sensor]}


def row(what, seconds):
    ordered = sorted(seconds)
    print(
        f"{what:<52} {statistics.median(ordered):>8.3f} {ordered[0]:>8.3f} {ordered[-1]:>8.3f} {len(ordered):>6}",
        flush=True,
    )


class Deployed:
    """The project, deployed, and the files that come to it."""

    def __init__(self, program, days):
        import deploy

        with tempfile.TemporaryDirectory() as folder:
            graph = pathlib.Path(folder) / "graph.json"
            graph.write_text(json.dumps(project(days)))
            self.outputs = deploy.deploy(STACK, graph, program)
        self.client = deploy.client
        self.s3, self.sfn = deploy.client("s3"), deploy.client("stepfunctions")

    def put(self, number):
        key = f"landing/{day(number)}.csv"
        self.s3.put_object(Bucket=self.outputs["BucketName"], Key=key, Body=b"1")

    def executions(self):
        machine = self.outputs["RunStateMachineArn"]
        return list(backfill.pages(self.sfn.list_executions, "executions", stateMachineArn=machine))

    def until(self, is_so, patience):
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            executions = self.executions()
            if is_so(executions):
                return executions
            time.sleep(0.1)
        sys.exit(f"still not there after {patience} s: {executions}")

    def landing(self, number, patience):
        """Seconds from the call that puts a file to the start of the execution that it leads to."""
        known = {execution["executionArn"] for execution in self.executions()}
        dropped = time.time()
        self.put(number)

        def new_executions(executions):
            return [one for one in executions if one["executionArn"] not in known]

        started = new_executions(self.until(new_executions, patience))
        # Undisturbed by the run, which is not what is measured.
        self.until(all_ended, patience)
        return started[0]["startDate"].timestamp() - dropped

    def published(self):
        kinds = backfill.rows(self.client("dynamodb"), self.outputs["TableName"])
        return [one for one in kinds["L"] if "run" in one], kinds


def dagster(interval, count):
    """Seconds until Dagster's sensor has requested a run, and until it was started."""
    programs = dagster_venv.install()
    with tempfile.TemporaryDirectory(prefix="dagster-home-") as home:
        landing = pathlib.Path(home) / "landing"
        landing.mkdir()
        (pathlib.Path(home) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        env = {
            **os.environ,
            "DAGSTER_HOME": home,
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "BENCH_LANDING": str(landing),
        }
        if interval:
            env["BENCH_INTERVAL"] = str(interval)
        cwd = pathlib.Path(__file__).resolve().parent / "dagster"
        daemon = subprocess.Popen(
            [programs / "dagster-daemon", "run", "-m", "landing", "-d", "."],
            env=env,
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            # Only its work is measured, not its start.
            time.sleep(20)
            command = [programs / "python", "started.py", str(count), str(interval or 30)]
            done = subprocess.run(command, env=env, cwd=cwd, check=True, capture_output=True, text=True)
        finally:
            os.killpg(daemon.pid, signal.SIGTERM)
            daemon.wait()
    pairs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def all_ended(executions):
    """Returns whether no execution is running."""
    return all(one["status"] != "RUNNING" for one in executions)


def burst(deployed, files, patience):
    """Puts many files at once, and prints what they took."""
    before = backfill.consumed(deployed.client("logs"), STACK)
    runs_before = len(deployed.executions())
    import landing

    queue = f"{STACK}-sensor-landing"
    landing.unplug(queue)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(deployed.put, range(files)))
    put = time.monotonic() - began
    landing.drain(queue, deployed.outputs["SensorFunctionName"], BATCH)
    handled = time.monotonic() - began
    executions = deployed.until(all_ended, patience)
    published, kinds = deployed.published()
    used = backfill.consumed(deployed.client("logs"), STACK)
    runs = len(executions) - runs_before
    print(f"{files} files at once: put within {put:.0f} s, all handled after {handled:.0f} s")
    print(f"runs                         {runs}, per file {runs / files:.4f}")
    print("functions, and what they consumed of the table, as DynamoDB charges it:")
    for function in sorted(used):
        units = {name: used[function][name] - before[function][name] for name in used[function]}
        print(
            f"  {function:<13} {units['invocations']} invocations, {units['write']:.0f} WRU, "
            f"{units['read']:.1f} RRU, {units['refused']} refused writes; per file "
            f"{units['invocations'] / files:.4f} invocations, {units['write'] / files:.4f} WRU, "
            f"{units['read'] / files:.4f} RRU"
        )
    return {
        "a run did not succeed": all(one["status"] == "SUCCEEDED" for one in executions),
        "a partition was made twice": not kinds["E"],
        "too many runs": runs <= max(10, MOST_RUNS * files),
    }, published


def main():
    asked = arguments()
    if "PRECIP_TEST_AWS_ENDPOINT" not in os.environ:
        program = asked.program or backfill.built()
        here = ["sh", "-c", '"$PRECIP_TEST_PYTHON" "$@"', "sh", str(pathlib.Path(__file__).resolve())]
        here += sys.argv[1:]
        os.execv(ROOT / "tests/with/emulator", ["emulator", *here, "--program", str(program.resolve())])
    sys.path.insert(0, str(ROOT / "tests/tools"))
    files, landings = asked.files, asked.landings
    deployed = Deployed(asked.program, files + landings + 1)
    cold = deployed.landing(files, asked.patience)
    warm = [deployed.landing(files + 1 + number, asked.patience) for number in range(landings)]
    print(f"{'seconds from a file to its run':<52} {'median':>8} {'least':>8} {'most':>8} {'files':>6}")
    row("Precip, PutObject -> StartExecution, first of all", [cold])
    row("Precip, PutObject -> StartExecution", warm)
    if asked.without_dagster:
        print("Dagster's sensor was left out; --without-dagster was given.")
    else:
        for interval, name in [(None, "30 s, the default"), (1, "1 s")]:
            requested, started = dagster(interval, asked.dagster_landings)
            row(f"Dagster, every {name}: requested", requested)
            row(f"Dagster, every {name}: started", started)
            ratio = statistics.median(started) / statistics.median(warm)
            print(f"  {ratio:.1f} times what Precip takes")
    fine, published = burst(deployed, files, asked.patience)
    fine["not every file's partition is published once"] = len(published) == files + landings + 1
    wrong = [text for text, is_so in fine.items() if not is_so]
    for text in wrong:
        print(f"WRONG: {text}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
