"""A sensor that looks into a folder for files as Dagster's looks into a bucket: it lists what comes behind
its cursor. BENCH_LANDING is the folder, BENCH_INTERVAL the seconds between two looks, if not the default.
"""

import os
import pathlib

import dagster as dg

folder = pathlib.Path(os.environ["BENCH_LANDING"])
interval = os.environ.get("BENCH_INTERVAL")
days = dg.DailyPartitionsDefinition(start_date="2020-01-01", end_date="2022-01-01")


@dg.asset(partitions_def=days)
def orders():
    return 1


job = dg.define_asset_job("orders_job", [orders])


@dg.sensor(
    job=job,
    minimum_interval_seconds=int(interval) if interval else None,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def landing(context):
    since = context.cursor or ""
    names = sorted(path.name for path in folder.iterdir() if path.name > since)
    for name in names:
        yield dg.RunRequest(run_key=name, partition_key=name.removesuffix(".csv"))
    if names:
        context.update_cursor(names[-1])


defs = dg.Definitions(assets=[orders], jobs=[job], sensors=[landing])
