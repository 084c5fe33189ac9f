"""Drops files one after the other, and prints for each, as a line of JSON, how many seconds later its run
was on record and how many later it was started.

    started.py COUNT PAUSE      between two files it waits up to PAUSE seconds
"""

import json
import random
import sys
import time

import dagster as dg
import landing

instance = dg.DagsterInstance.get()
count, pause = int(sys.argv[1]), float(sys.argv[2])
for day in landing.days.get_partition_keys()[:count]:
    # At any moment between two looks.
    time.sleep(random.uniform(0, pause))
    dropped = time.time()
    (landing.folder / f"{day}.csv").write_text("1")
    of_day = dg.RunsFilter(tags={"dagster/partition": day})
    while True:
        runs = instance.get_run_records(of_day)
        if runs and runs[0].start_time:
            break
        time.sleep(0.02)
    requested = runs[0].create_timestamp.timestamp() - dropped
    print(json.dumps([requested, runs[0].start_time - dropped]), flush=True)
