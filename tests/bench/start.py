#!/usr/bin/env python3
"""Measures the size of the sample project's materializer, and the time until it asks Lambda for work.

    tests/bench/start.py                 what cargo-lambda builds for release, 40 starts of each
    tests/bench/start.py --starts 100    more
    tests/bench/start.py --sql           also the function with DuckDB, next to the same without (functions/warehouse)

Next to it: a function that only creates the same SDK clients (tests/bench/bare), built and
measured in the same run. Needs Rust and Python 3; cargo-lambda goes into a virtual environment below the
cache folder, once. With --sql DuckDB's library goes there as well (tests/duckdb), and into the zip.
"""

import argparse
import http.server
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv

import dagster_venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
CARGO_LAMBDA = "cargo-lambda==1.9.2"
BARE = "bare function, the same clients"
SQL = "materializer-sql, with DuckDB"


def tools():
    """The folder of cargo-lambda's programs."""
    folder = dagster_venv.cache() / "cloud" / "cargo-lambda"
    programs = folder / "bin"
    if not (programs / "cargo-lambda").exists():
        print(f"installing {CARGO_LAMBDA} ...", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([programs / "pip", "install", "--quiet", CARGO_LAMBDA], check=True)
    return programs


def build(scratch, package, binary, *options, include=None):
    """Builds a function as it is deployed, and returns the folder with `bootstrap.zip` and `bootstrap`."""
    path = os.pathsep.join([str(tools()), os.environ["PATH"]])
    command = ["cargo", "lambda", "build", "--quiet", "--release", "--package", package, "--bin", binary]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    zipped = ["--include", str(include)] if include else []
    for form, more in (("zip", zipped), ("binary", [])):
        subprocess.run(
            [*command, "--output-format", form, *options, *more],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PATH": path},
        )
    # Packages may have binaries of one name.
    return shutil.copytree(target / "lambda" / binary, pathlib.Path(scratch) / package / binary)


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Lambda's interface to a function. It records when a process first asks for work, and never sends any.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    daemon_threads = True

    def __init__(self):
        self.asked, self.moment = threading.Event(), 0.0
        super().__init__(("127.0.0.1", 0), Asked)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.endswith("/runtime/invocation/next"):
            self.server.moment = time.monotonic()
            self.server.asked.set()
            # Lambda lets it wait until there is work.
            time.sleep(60)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        raise SystemExit(f"{self.path}: {self.rfile.read(length).decode(errors='replace')}")

    def log_message(self, *_):
        pass


def size(folder, duckdb):
    """Of the zip and of what is in it, in MB."""
    files = [folder / "bootstrap.zip", folder / "bootstrap", *duckdb]
    zipped, *unpacked = (file.stat().st_size / 1e6 for file in files)
    return zipped, sum(unpacked)


def start(bootstrap, api):
    """Seconds from a process's start to its first question for work."""
    api.asked.clear()
    with tempfile.TemporaryFile() as said:
        env = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "PRECIP_TABLE": "table",
            "PRECIP_BUCKET": "bucket",
            "PRECIP_ENV": "prod",
            "FLIGHTS_LANDING": "landing",
            # Where Lambda looks for what is below lib/ of the zip.
            "LD_LIBRARY_PATH": os.environ.get("DUCKDB_LIB_DIR", ""),
        }
        began = time.monotonic()
        process = subprocess.Popen([bootstrap], env=env, stdout=said, stderr=subprocess.STDOUT)
        try:
            if not api.asked.wait(30):
                said.seek(0)
                raise SystemExit(f"{bootstrap} asked for nothing in 30 s: {said.read().decode()[-2000:]}")
            return api.moment - began
        finally:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=40)
    parser.add_argument("--sql", action="store_true")
    options = parser.parse_args()
    if options.sql and "DUCKDB_LIB_DIR" not in os.environ:
        here = ROOT / "tests" / "duckdb"
        os.execv(here, [str(here), sys.executable, str(pathlib.Path(__file__).resolve()), *sys.argv[1:]])
    with tempfile.TemporaryDirectory() as scratch:
        measure(scratch, options)


def measure(scratch, options):
    functions = {
        BARE: build(scratch, "precip-bench-bare", "bare"),
        "materializer of the sample project": build(scratch, "flights", "materializer", "--features", "aws"),
    }
    duckdb = []
    if options.sql:
        package = "flights-warehouse"
        without = build(scratch, package, "materializer", "--no-default-features", "--features", "aws")
        functions["the same with a warehouse, no DuckDB"] = without
        library = pathlib.Path(os.environ["DUCKDB_LIB_DIR"])
        duckdb = list(library.glob("*.so"))
        functions[SQL] = build(scratch, package, "materializer-sql", "--features", "aws", include=library)
    api = RuntimeApi()
    took = {name: [] for name in functions}
    for _ in range(options.starts):
        # In turns, so that whatever else the machine does falls on all.
        for name, folder in functions.items():
            took[name].append(start(folder / "bootstrap", api))
    heads = ("zip MB", "program MB", "start ms, median", "quickest")
    print(f"{'':<36}" + "".join(f" {head:>17}" for head in heads))
    rows = {}
    for name, folder in functions.items():
        sizes = size(folder, duckdb if name == SQL else [])
        rows[name] = (*sizes, statistics.median(took[name]) * 1e3, min(took[name]) * 1e3)
        print(f"{name:<36}" + "".join(f" {figure:>17.2f}" for figure in rows[name]))
        if name != BARE:
            ratios = (ours / bare for ours, bare in zip(rows[name], rows[BARE], strict=True))
            print(f"{'  ratio to the bare function':<36}" + "".join(f" {ratio:>17.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
