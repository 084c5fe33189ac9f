use precip::prelude::*;

static DAILY: LazyPartitions = partitions!(daily(start = "2024-02-30"));
static HOURLY: LazyPartitions = partitions!(hourly(start = "2024-01-01"));

fn main() {}
