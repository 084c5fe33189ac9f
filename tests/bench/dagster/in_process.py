"""`materialize()` for each partition, in one process, with durable state."""

import sys

import dagster as dg
from assets_daily import daily, first, one, second, third

assets = {"one": [one], "chain": [first, second, third]}[sys.argv[1]]
limit = int(sys.argv[2])
instance = dg.DagsterInstance.get()
for key in daily.get_partition_keys()[:limit]:
    assert dg.materialize(assets, partition_key=key, instance=instance).success
