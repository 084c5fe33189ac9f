"""Requests an asset backfill and waits until the daemon has finished it.

backfill.py MODULE ASSET[,ASSET..] PARTITIONS
"""

import importlib
import sys
import time

import dagster as dg
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.utils import make_new_backfill_id

module, names, limit = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
definitions = importlib.import_module(module)
instance = dg.DagsterInstance.get()
backfill = make_new_backfill_id()
keys = [dg.AssetKey(name) for name in names]
instance.add_backfill(
    PartitionBackfill.from_asset_partitions(
        backfill_id=backfill,
        asset_graph=definitions.defs.resolve_asset_graph(),
        partition_names=definitions.daily.get_partition_keys()[:limit],
        asset_selection=keys,
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
)
while True:
    status = instance.get_backfill(backfill).status
    if status not in (BulkActionStatus.REQUESTED,):
        break
    time.sleep(0.2)
made = [len(instance.get_materialized_partitions(key)) for key in keys]
assert made == [limit] * len(keys), (status, made)
