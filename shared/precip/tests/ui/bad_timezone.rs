use precip::prelude::*;

static DAILY: LazyPartitions =
    partitions!(daily(start = "2024-01-01", timezone = "America/New_Yrok"));

fn main() {}
