use precip::prelude::*;

static DAILY: LazyPartitions = partitions!(dayly(start = "2024-01-01"));
static WEEKLY: LazyPartitions = partitions!(weekly(begin = "2024-01-01"));

fn main() {}
