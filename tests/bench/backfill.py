#!/usr/bin/env python3
"""A backfill of one trivial asset on an emulator of AWS: what is on record, and what it would cost.

    tests/bench/backfill.py                     10,000 daily partitions
    tests/bench/backfill.py --partitions 500    fewer

Needs Rust, Python 3 and binutils (`strip`); tests/with/emulator installs the rest. Ends with 1 when a figure
is not what it has to be.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACK = "backfill"
FIRST_DAY = datetime.date(1990, 1, 1)
# What the design allows, for each partition.
MOST_TRANSITIONS = 0.05
MOST_WRITTEN = 1.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--partitions", type=int, default=10_000)
    parser.add_argument("--program", type=pathlib.Path, help="a program that was built already")
    parser.add_argument("--patience", type=int, default=3600, help="seconds until it is given up")
    return parser.parse_args()


def built():
    """The program that is the functions and the command line, as `cargo build` makes it."""
    command = "cargo build --quiet --package precip-graphs --bin graphs --features aws"
    subprocess.run(command.split(), check=True, cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "graphs"


def pages(call, key, **request):
    paginator = call.__self__.get_paginator(call.__name__)
    for page in paginator.paginate(**request):
        yield from page[key]


def run(sfn, outputs, patience):
    """Starts it as a person would, and waits for its end."""
    started = sfn.start_execution(
        stateMachineArn=outputs["RunStateMachineArn"],
        input=json.dumps({"select": "*", "partitions": "all"}),
    )
    arn, began = started["executionArn"], time.monotonic()
    while time.monotonic() - began < patience:
        execution = sfn.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return execution, time.monotonic() - began
        time.sleep(1)
    sys.exit(f"{arn} is still running after {patience} s")


def entered(sfn, arn):
    """The states that an execution entered. Each is a transition; those of an EXPRESS child are none."""
    events = pages(sfn.get_execution_history, "events", executionArn=arn)
    return sum(1 for event in events if event["type"].endswith("StateEntered"))


def rows(dynamodb, table):
    """The rows of the table, once the reactor has no more to write: by the letters of their keys."""
    counted, still = -1, 0
    while still < 3:
        found = list(pages(dynamodb.scan, "Items", TableName=table))
        still = still + 1 if len(found) == counted else 0
        counted = len(found)
        time.sleep(2)
    kinds = collections.defaultdict(list)
    for row in found:
        kinds[row["pk"]["S"].split("#")[0]].append(row)
    return kinds


def consumed(logs, stack):
    """Returns, by function, the capacity that it consumed, as it logs itself, and its invocations: the lines that
    Lambda ends the log of each with."""
    totals = collections.defaultdict(collections.Counter)
    groups = pages(logs.describe_log_groups, "logGroups", logGroupNamePrefix=f"/precip/{stack}/")
    for name in [group["logGroupName"] for group in groups]:
        function = name.rsplit("/", 1)[1].split("-")[0]
        # The emulator answers no more than 10,000 events, and says of no more: each stream is asked.
        for stream in pages(logs.describe_log_streams, "logStreams", logGroupName=name):
            found = logs.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"], startFromHead=True)
            for event in found["events"]:
                count(totals[function], event["message"])
    return totals


def count(total, message):
    """Adds what a line of a function's log says."""
    if message.startswith("REPORT RequestId:"):
        total["invocations"] += 1
    if '"consumed"' in message:
        line = json.loads(message)
        total["logged"] += 1
        for what in ["read", "write", "refused"]:
            total[what] += line[what]


def manifests(s3, bucket):
    """Returns the number of rows in the manifests, each of which is a child execution, and their bytes."""
    children = size = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="runs/"):
        for file in page.get("Contents", []):
            if file["Key"].endswith(".jsonl"):
                body = s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].read()
                children += sum(1 for line in body.splitlines() if line.strip())
                size += len(body)
    return children, size


def main():
    asked = arguments()
    if "PRECIP_TEST_AWS_ENDPOINT" not in os.environ:
        program = asked.program or built()
        here = ["sh", "-c", '"$PRECIP_TEST_PYTHON" "$@"', "sh", str(pathlib.Path(__file__).resolve())]
        here += sys.argv[1:]
        os.execv(ROOT / "tests/with/emulator", ["emulator", *here, "--program", str(program.resolve())])
    sys.path.insert(0, str(ROOT / "tests/tools"))
    import deploy

    count = asked.partitions
    end = FIRST_DAY + datetime.timedelta(days=count)
    days = {"daily": [FIRST_DAY.isoformat(), end.isoformat()]}
    with tempfile.TemporaryDirectory() as folder:
        graph = pathlib.Path(folder) / "graph.json"
        graph.write_text(json.dumps({"assets": [{"key": "trivial", "keys": days}]}))
        outputs = deploy.deploy(STACK, graph, asked.program)

    sfn = deploy.client("stepfunctions")
    execution, took = run(sfn, outputs, asked.patience)
    backfills = pages(sfn.list_executions, "executions", stateMachineArn=outputs["BackfillStateMachineArn"])
    executions = [execution["executionArn"], *[backfill["executionArn"] for backfill in backfills]]
    states = sum(entered(sfn, arn) for arn in executions)
    children, manifest = manifests(deploy.client("s3"), outputs["BucketName"])
    kinds = rows(deploy.client("dynamodb"), outputs["TableName"])
    published = [row for row in kinds["L"] if "run" in row]
    by = collections.Counter((row["run"]["S"], int(row["attempt"]["N"])) for row in published)
    runs = {run for run, _ in by}
    used = consumed(deploy.client("logs"), STACK)

    def per(number):
        return f"{number / count:.4f}"

    transitions = (states + children) / count
    print(f"{count} partitions, {execution['status']} after {took:.0f} s")
    print(f"rows published               {len(published)}, by (run, attempt): {dict(by)}")
    print(f"events archived              {len(kinds['E'])}")
    print(f"Standard transitions         {states} states entered in {len(executions)} executions")
    print(f"                             + {children} children started, each one of its parent")
    print(f"  per partition              {transitions:.4f}")
    print("functions, and what they consumed of the table, as DynamoDB charges it:")
    for function, units in sorted(used.items()):
        print(
            f"  {function:<13} {units['invocations']} invocations ({units['logged']} logged what), "
            f"{units['write']:.0f} WRU, {units['read']:.1f} RRU, {units['refused']} refused writes; "
            f"per partition {per(units['invocations'])} invocations, {per(units['write'])} WRU, "
            f"{per(units['read'])} RRU"
        )
    print(f"manifest bytes per partition {manifest / count:.1f}")

    wrong = [
        text
        for text, fine in {
            "the execution did not succeed": execution["status"] == "SUCCEEDED",
            "not every partition is published once": len(published) == count and len(runs) == 1,
            "something was archived: made twice": not kinds["E"],
            "too many transitions": transitions <= MOST_TRANSITIONS,
            "not one invocation a partition": used["materializer"]["invocations"] == count,
            "a materialization writes too much": used["materializer"]["write"] <= MOST_WRITTEN * count,
        }.items()
        if not fine
    ]
    for text in wrong:
        print(f"WRONG: {text}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
