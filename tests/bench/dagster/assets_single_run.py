"""The same assets, all partitions of an asset in one run.

Dagster's own IO manager for files refuses an output of several partitions, so the assets keep their data
themselves, in the form it would have: a pickle a partition.
"""

import os
import pathlib
import pickle

import dagster as dg

daily = dg.DailyPartitionsDefinition("2023-01-01", end_date="2024-01-01")
policy = dg.BackfillPolicy.single_run()


def place(asset, key):
    return pathlib.Path(os.environ["DAGSTER_HOME"]) / "storage" / asset / key


def keep(asset, values):
    place(asset, "").mkdir(parents=True, exist_ok=True)
    for key, value in values.items():
        place(asset, key).write_bytes(pickle.dumps(value))


def kept(asset, keys):
    return {key: pickle.loads(place(asset, key).read_bytes()) for key in keys}


@dg.asset(partitions_def=daily, backfill_policy=policy)
def one(context) -> None:
    keep("one", {key: len(key) for key in context.partition_keys})


@dg.asset(partitions_def=daily, backfill_policy=policy)
def first(context) -> None:
    keep("first", {key: len(key) for key in context.partition_keys})


@dg.asset(partitions_def=daily, backfill_policy=policy, deps=[first])
def second(context) -> None:
    keep("second", {key: value + 1 for key, value in kept("first", context.partition_keys).items()})


@dg.asset(partitions_def=daily, backfill_policy=policy, deps=[second])
def third(context) -> None:
    keep("third", {key: value + 1 for key, value in kept("second", context.partition_keys).items()})


defs = dg.Definitions([one, first, second, third])
