use precip::prelude::*;

static MORNINGS: LazyPartitions =
    partitions!(cron(schedule = "0 25 * * *", start = "2024-01-01-00:00"));

fn main() {}
