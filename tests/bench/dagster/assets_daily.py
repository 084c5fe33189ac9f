"""365 daily partitions of one trivial asset, and of a chain of three. Dagster's default policy."""

import dagster as dg

daily = dg.DailyPartitionsDefinition("2023-01-01", end_date="2024-01-01")


@dg.asset(partitions_def=daily)
def one(context) -> int:
    return len(context.partition_key)


@dg.asset(partitions_def=daily)
def first(context) -> int:
    return len(context.partition_key)


@dg.asset(partitions_def=daily)
def second(first: int) -> int:
    return first + 1


@dg.asset(partitions_def=daily)
def third(second: int) -> int:
    return second + 1


defs = dg.Definitions([one, first, second, third])
