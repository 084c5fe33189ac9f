"""Dagster's automation ticks on the assets that `bench-core` measures: a thousand assets in ten layers,
each of a thousand days. Prints CPU seconds and what was requested as JSON.

    dagster_ticks.py eager | missing
"""

import datetime
import json
import sys
import time

import dagster as dg

LAYERS, WIDTH, DAYS = 10, 100, 1_000
START = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
PARTITIONS = dg.DailyPartitionsDefinition(START)


def key(layer, place):
    return dg.AssetKey([f"layer_{layer}", f"asset_{place:05}"])


def asset(layer, place, condition):
    above = sorted({place, (place * 7 + layer) % WIDTH}) if layer else []

    @dg.asset(
        key=key(layer, place),
        deps=[key(layer - 1, number) for number in above],
        partitions_def=PARTITIONS,
        automation_condition=condition,
    )
    def compute():
        pass

    return compute


def main():
    condition = getattr(dg.AutomationCondition, sys.argv[1])()
    started = time.process_time()
    definitions = dg.Definitions([asset(layer, place, condition) for layer in range(LAYERS) for place in range(WIDTH)])
    # The graph is made when it is first asked for.
    definitions.resolve_all_asset_specs()
    graph = time.process_time() - started
    now = START + datetime.timedelta(days=DAYS, minutes=59)
    instance = dg.DagsterInstance.ephemeral()
    cursor, seconds, requested = None, [], []
    for tick in range(3):
        if tick == 2:
            last = (START + datetime.timedelta(days=DAYS - 1)).strftime("%Y-%m-%d")
            for place in range(WIDTH):
                instance.report_runless_asset_event(dg.AssetMaterialization(key(0, place), partition=last))
        started = time.process_time()
        result = dg.evaluate_automation_conditions(definitions, instance=instance, cursor=cursor, evaluation_time=now)
        seconds.append(time.process_time() - started)
        requested.append(result.total_requested)
        cursor = result.cursor
        now += datetime.timedelta(seconds=30)
    print(json.dumps({"graph": graph, "seconds": seconds, "requested": requested}))


if __name__ == "__main__":
    main()
