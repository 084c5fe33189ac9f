#!/usr/bin/env python3
"""How long `simulate` takes, and how much memory, for a run of many partitions.

    tests/bench/simulate.py                     a million partitions, with the release profile
    tests/bench/simulate.py --partitions 50000  fewer
    tests/bench/simulate.py --profile dev       with the profile of README's first command

Needs Rust and Python 3. Ends with 1 when a million partitions take longer than 30 s or more memory than 1 GB.
"""

import argparse
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACES = 365
FIRST_DAY = datetime.date(2000, 1, 1)
MOST_SECONDS = 30
MOST_MIB = 1024


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--partitions", type=int, default=1_000_000)
    parser.add_argument("--profile", choices=["dev", "release"], default="release")
    return parser.parse_args()


def built(profile):
    """The command line of a described project, as `cargo build` makes it."""
    command = f"cargo build --quiet --package precip-graphs --bin graphs --profile {profile}"
    subprocess.run(command.split(), check=True, cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / {"dev": "debug", "release": "release"}[profile] / "graphs"


def project(partitions):
    """A project of one asset, by day and place."""
    days = -(-partitions // PLACES)
    end = FIRST_DAY + datetime.timedelta(days=days)
    keys = {
        "date": {"daily": [FIRST_DAY.isoformat(), end.isoformat()]},
        "place": {"static": [f"place-{number}" for number in range(PLACES)]},
    }
    return {"assets": [{"key": "events", "keys": {"multi": keys}}]}


def main():
    chosen = arguments()
    program = built(chosen.profile)
    with tempfile.TemporaryDirectory() as folder:
        graph = pathlib.Path(folder) / "graph.json"
        graph.write_text(json.dumps(project(chosen.partitions)))
        environment = {**os.environ, "PRECIP_TEST_GRAPH": str(graph), "PRECIP_HOME": folder}
        command = [program, "simulate", "--partitions", "all", "--duration", "500ms", "--json"]
        command += ["--account-concurrency", "10000", "--max-concurrency", "200"]
        began = time.monotonic()
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)
        wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(done.stdout)
    mib = used.ru_maxrss / 1024
    print(f"{report['partitions']:,} partitions in {report['seconds']:,.0f} s for ${report['dollars']:.2f},", end=" ")
    print(f"limited by {report['limited_by']}, {report['failed']} not made")
    print(f"simulated in {wall:.1f} s of {chosen.profile}, with {mib:.0f} MiB")
    million = chosen.partitions >= 1_000_000
    if million and (wall > MOST_SECONDS or mib > MOST_MIB):
        sys.exit(f"a million partitions have to be simulated in {MOST_SECONDS} s and {MOST_MIB} MiB")


if __name__ == "__main__":
    main()
