use precip::prelude::*;

static ORIGINS: LazyPartitions = partitions!(static("EWR", "JFK", "EWR"));

fn main() {}
