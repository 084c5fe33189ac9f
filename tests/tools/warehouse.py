"""Deploys the built functions, runs January, and compares: the second part of tests/suites/warehouse.

$PRECIP_TEST_PYTHON tests/tools/warehouse.py FOLDER      the folder of the programs
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile

import deploy

LANDING = pathlib.Path(__file__).resolve().parents[2] / "events" / "landing"
SQL = "materializer-sql"
MARTS = ("carrier_month", "carrier_rank")

# What Lambda gives a function of 512 MB. The program is opened before /tmp, where it is, is mounted again. The limit is
# on requested memory, which is more than used memory.
LIMITS = "ulimit -d 524288 && exec env -u HOME LD_LIBRARY_PATH={libraries} /proc/self/fd/9"
CELL = """#!/bin/sh
exec 9<"$(dirname "$0")/program"
exec unshare --map-root-user --mount sh -c '
    mount -t tmpfs none /tmp && mount -o remount,bind,ro / && cd / && {limits}'
"""
# For machines without user namespaces, such as some containers.
NO_CELL = """#!/bin/sh
exec 9<"$(dirname "$0")/program"
cd / && {limits}
"""


def cell_script():
    """Returns the script that confines the function with queries."""
    limits = LIMITS.format(libraries=os.environ["LD_LIBRARY_PATH"])
    try_it = ["unshare", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /tmp"]
    if subprocess.run(try_it, capture_output=True).returncode == 0:
        return CELL.format(limits=limits)
    say("`unshare` is not permitted here: the function may write everywhere")
    return NO_CELL.format(limits=limits)


def say(message):
    print(f"== {message}", file=sys.stderr)


def bundle_function(folder, binary):
    """Returns a function's zip, as cargo-lambda makes it; the function with queries gets its cell."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(packed, "w") as archive:
        stripped = pathlib.Path(scratch) / "program"
        subprocess.run(["strip", "-o", stripped, folder / binary], check=True)
        members = {"bootstrap": stripped.read_bytes()}
        if binary == SQL:
            members = {"bootstrap": cell_script().encode(), "program": members["bootstrap"]}
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=1)
    return packed.getvalue()


def check_linked_duckdb(folder):
    """Checks that only the function with queries is linked to DuckDB."""
    for binary in ("planner", "materializer", SQL, "reactor", "sensor"):
        linked = subprocess.run(["ldd", folder / binary], check=True, capture_output=True, text=True).stdout
        if ("libduckdb" in linked) != (binary == SQL):
            raise SystemExit(f"`{binary}` is linked to:\n{linked}")


def generate_files(program):
    """Returns the files that `synth` writes, by path."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [program, "--env", "prod", "synth", "--project", "warehouse", "--out", "generated"]
        subprocess.run(command, check=True, cwd=scratch, stdout=subprocess.DEVNULL)
        root = pathlib.Path(scratch) / "generated"
        return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.*")}


def upload_landing_files(bucket):
    s3 = deploy.client("s3")
    s3.create_bucket(Bucket=bucket)
    for path in LANDING.rglob("*.*"):
        s3.upload_file(str(path), bucket, str(path.relative_to(LANDING)))


def run_machine(machine, request):
    """Starts a run and waits for its end."""
    step_functions = deploy.client("stepfunctions")
    started = step_functions.start_execution(stateMachineArn=machine, input=json.dumps(request))
    arn = started["executionArn"]
    while (ended := step_functions.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(1)
    if ended["status"] != "SUCCEEDED":
        raise SystemExit(f"the run ended as {ended['status']}: {ended.get('error')}, {ended.get('cause')}")


def show_marts(program, options, environment):
    """Returns the marts of January, as `show` prints them."""
    command = [program, *options, "show", "--partition", "2013-01", "--format", "csv"]
    return [subprocess.run([*command, mart], check=True, capture_output=True, env=environment).stdout for mart in MARTS]


def main(folder):
    program = folder / "flights-warehouse"
    check_linked_duckdb(folder)
    stack = f"warehouse-{uuid.uuid4().hex[:8]}"
    bucket = f"landing-{stack}"
    say("deploying")
    upload_landing_files(bucket)
    # The cell limits the function to this memory.
    files = generate_files(program)
    assert "materializer-512MiB60sMaterializerSql" in files["template.yaml"], files["template.yaml"]
    outputs = deploy.create_stack(stack, files, lambda binary: bundle_function(folder, binary), FlightsLanding=bucket)
    say("running January")
    january = {"select": "+key:carrier_rank", "partitions": "2013-01-01...2013-01-31"}
    run_machine(outputs["RunStateMachineArn"], january)
    names = {
        "PRECIP_TABLE": outputs["TableName"],
        "PRECIP_BUCKET": outputs["BucketName"],
        "PRECIP_STATE_MACHINE_ARN": outputs["RunStateMachineArn"],
        "FLIGHTS_LANDING": bucket,
    }
    on_aws = show_marts(program, ["--on", "aws", "--env", "prod"], {**os.environ, **names})
    say("comparing with the laptop")
    with tempfile.TemporaryDirectory() as home:
        laptop = {**os.environ, "PRECIP_HOME": home, "FLIGHTS_LANDING": str(LANDING)}
        command = [program, "materialize", "--select", january["select"], "--partitions", january["partitions"]]
        subprocess.run(command, check=True, env=laptop, stdout=subprocess.DEVNULL)
        on_laptop = show_marts(program, [], laptop)
    if on_aws != on_laptop:
        raise SystemExit(f"AWS returned\n{on_aws}\nand the laptop\n{on_laptop}")
    say(f"{' and '.join(MARTS)} of January are the same: {len(on_laptop[1].splitlines())} lines each")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
