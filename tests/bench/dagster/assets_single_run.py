"""The same assets, all partitions of an asset in one run."""

import dagster as dg

daily = dg.DailyPartitionsDefinition("2023-01-01", end_date="2024-01-01")
policy = dg.BackfillPolicy.single_run()


@dg.asset(partitions_def=daily, backfill_policy=policy)
def one(context) -> dict[str, int]:
    return {key: len(key) for key in context.partition_keys}


@dg.asset(partitions_def=daily, backfill_policy=policy)
def first(context) -> dict[str, int]:
    return {key: len(key) for key in context.partition_keys}


@dg.asset(partitions_def=daily, backfill_policy=policy)
def second(first: dict[str, int]) -> dict[str, int]:
    return {key: value + 1 for key, value in first.items()}


@dg.asset(partitions_def=daily, backfill_policy=policy)
def third(second: dict[str, int]) -> dict[str, int]:
    return {key: value + 1 for key, value in second.items()}


defs = dg.Definitions([one, first, second, third])
