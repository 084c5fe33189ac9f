#!/usr/bin/env python3
"""Measures what a newcomer waits for: from a fresh clone to the first run, and from an edit to the next one.

    tests/bench/build.py              the clone in the dev profile, and an edited asset
    tests/bench/build.py --release    also in the release profile
    tests/bench/build.py --aws        also with what runs on AWS
    tests/bench/build.py --duckdb     also the sample with its data in DuckDB, linked to a prebuilt library
    tests/bench/build.py --new        also a project made by `precip new`
    tests/bench/build.py --dagster    also Dagster: create-dagster to the first materialization
    tests/bench/build.py --profile    also the crates that take the most CPU seconds, in the dev profile

Each build starts with an empty target folder; downloads of crates are not measured. Prints a row for each
measurement: wall seconds, CPU seconds of all processes, crates compiled, and MiB of the target folder. Nothing
else should run on the machine meanwhile; where something does, the CPU seconds tell more.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv

import dagster_venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The version of `create-dagster` that belongs to the Dagster of the other benchmarks.
CREATE_DAGSTER = f"create-dagster=={dagster_venv.VERSION}"


class Measured:
    """Wall and CPU seconds of commands that ran one after the other, and the crates that cargo compiled."""

    def __init__(self):
        self.seconds = self.cpu = 0.0
        self.crates = 0

    def run(self, command, cwd, env=None):
        with tempfile.TemporaryFile() as output:
            start = time.monotonic()
            child = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(child.pid, 0)
            self.seconds += time.monotonic() - start
            self.cpu += used.ru_utime + used.ru_stime
            output.seek(0)
            text = output.read().decode(errors="replace")
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.stderr.write(text[-4000:])
            raise SystemExit(f"failed: {' '.join(map(str, command))}")
        self.crates += len(re.findall(r"^\s*Compiling ", text, re.MULTILINE))
        return text


def print_row(what, measured, folder=None):
    size = "" if folder is None else f"{bytes_below(folder) / 2**20:>8.0f}"
    print(f"{what:<44} {measured.seconds:>8.1f} {measured.cpu:>8.1f} {measured.crates:>7} {size:>8}", flush=True)


def bytes_below(folder):
    files = (path for path in pathlib.Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
    # A file with several names counts once.
    return sum({stat.st_ino: stat.st_size for stat in (path.stat() for path in files)}.values())


def first_command():
    """Returns the first command of README: its first indented line that starts with `cargo run`."""
    readme = (ROOT / "README.md").read_text()
    return re.search(r"^    (cargo run .*?)( +#.*)?$", readme, re.MULTILINE)[1].split()


def in_profile(command, release):
    """Returns the command in the given profile, whatever README says."""
    plain = [word for word in command if word != "--release"]
    return [*plain[:2], "--release", *plain[2:]] if release else plain


def clone(folder):
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=folder, check=True)


def edit(file):
    """Appends a function, so that the crate has to be compiled again."""
    with pathlib.Path(file).open("a") as source:
        source.write(f"\n#[doc(hidden)]\npub fn edited_{time.monotonic_ns()}() {{}}\n")


def environment(target, **others):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CARGO_", "PRECIP_"))}
    return {**kept, "CARGO_TARGET_DIR": str(target), "CARGO_TERM_COLOR": "never", **others}


def measure_clone(project, target, release):
    profile = "release" if release else "dev"
    command, env = in_profile(first_command(), release), environment(target)
    first = Measured()
    first.run(command, project, env)
    print_row(f"clone -> first run, {profile}", first, target)

    again = Measured()
    again.run(command, project, env)
    print_row(f"nothing changed -> run, {profile}", again)

    edit(project / "functions/flights/src/lib.rs")
    edited = Measured()
    edited.run(command, project, env)
    print_row(f"edited asset -> run, {profile}", edited)


def measure_build(what, command, project, target):
    build = Measured()
    build.run(command, project, environment(target))
    print_row(what, build, target)


def measure_new(folder):
    """Measures a project of `precip new`, which uses the crates of this repository."""
    launcher_target, target = folder / "launcher-target", folder / "new-target"
    launcher = Measured()
    build = ["cargo", "build", "--package", "precip-launcher"]
    launcher.run(build, ROOT, environment(launcher_target))
    print_row("the launcher", launcher, launcher_target)

    program = launcher_target / "debug/precip"
    subprocess.run([program, "new", "shop"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    project, env = folder / "shop", environment(target)
    local = ["--config", f"patch.crates-io.precip.path='{ROOT / 'shared/precip'}'"]
    subprocess.run(["cargo", *local, "fetch", "--quiet"], cwd=project, env=env, check=True)
    command = ["cargo", *local, "run", "--", "materialize"]
    first = Measured()
    first.run(command, project, env)
    print_row("new -> first run, dev", first, target)

    edit(project / "src/lib.rs")
    edited = Measured()
    edited.run(command, project, env)
    print_row("new: edited asset -> run, dev", edited)


def measure_dagster(folder):
    """Measures Dagster's own way to a first materialization: a project, an asset, `dg launch`."""
    programs = folder / "dagster" / "bin"
    venv.create(folder / "dagster", with_pip=True)
    env = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1", "PATH": f"{programs}:{os.environ['PATH']}"}
    env["VIRTUAL_ENV"] = str(folder / "dagster")
    first = Measured()
    pip = [programs / "python", "-m", "pip", "install", "--quiet"]
    first.run([*pip, CREATE_DAGSTER], folder, env)
    first.run([programs / "create-dagster", "project", "shop", "--no-uv-sync"], folder, env)
    project = folder / "shop"
    first.run([*pip, "--editable", ".", "dagster-dg-cli"], project, env)
    first.run([programs / "dg", "scaffold", "defs", "dagster.asset", "orders.py"], project, env)
    launch = [programs / "dg", "launch", "--assets", "*"]
    first.run(launch, project, env)
    print_row("create-dagster -> first materialization", first)

    again = Measured()
    again.run(launch, project, env)
    print_row("Dagster: materialize again", again)


def print_profile(project, folder):
    """Prints the CPU seconds of each crate in the dev profile, most first."""
    log, wrapper = folder / "crates.log", folder / "rustc-timed"
    wrapper.write_text(
        f"#!{sys.executable}\n"
        "import os, resource, subprocess, sys\n"
        "words = sys.argv[1:]\n"
        "status = subprocess.call(words)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "name = words[words.index('--crate-name') + 1] if '--crate-name' in words else 'rustc'\n"
        f"with open({str(log)!r}, 'a') as log:\n"
        "    log.write(f'{used.ru_utime + used.ru_stime:.2f} {name}\\n')\n"
        "sys.exit(status)\n"
    )
    wrapper.chmod(0o755)
    env = environment(folder / "profile-target", RUSTC_WRAPPER=str(wrapper))
    subprocess.run(["cargo", "build", "--quiet", "--package", "flights"], cwd=project, env=env, check=True)
    rows = [line.split() for line in log.read_text().splitlines()]
    crates = sorted(((float(seconds), name) for seconds, name in rows), reverse=True)
    print(f"\n{sum(seconds for seconds, _ in crates):.1f} CPU seconds in {len(crates)} calls of rustc")
    for seconds, name in crates[:40]:
        print(f"{seconds:>8.1f}  {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("release", "aws", "duckdb", "new", "dagster", "profile"):
        parser.add_argument(f"--{name}", action="store_true")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="precip-build-") as temporary:
        folder = pathlib.Path(temporary)
        project = folder / "clone"
        clone(project)
        print(f"{'':<44} {'wall s':>8} {'CPU s':>8} {'crates':>7} {'MiB':>8}")
        profiles = [False, True] if arguments.release else [False]
        for release in profiles:
            target = folder / "target"
            measure_clone(project, target, release)
            shutil.rmtree(target)
            shutil.rmtree(project / ".precip")
        if arguments.aws:
            command = ["cargo", "build", "--features", "aws"]
            measure_build("clone -> built with AWS, dev", command, project, folder / "aws-target")
        if arguments.duckdb:
            command = ["tests/duckdb", "cargo", "build", "--package", "flights-warehouse"]
            # The library is installed first, which is not measured.
            subprocess.run(["tests/duckdb", "true"], cwd=project, check=True)
            measure_build("clone -> built with DuckDB, dev", command, project, folder / "duckdb-target")
        if arguments.new:
            measure_new(folder)
        if arguments.dagster:
            measure_dagster(folder)
        if arguments.profile:
            print_profile(project, folder)


if __name__ == "__main__":
    main()
