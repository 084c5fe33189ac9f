//! 365 daily partitions of one trivial asset, and of a chain of three.

use std::process::ExitCode;

use precip::prelude::*;

static DAILY: LazyPartitions = partitions!(daily(start = "2023-01-01", end = "2024-01-01"));

/// As little as an asset can do.
#[asset(partitions = DAILY)]
fn one(context: &AssetContext) -> Result<i64, AssetError> {
    length(context)
}

/// The first of a chain.
#[asset(partitions = DAILY)]
fn first(context: &AssetContext) -> Result<i64, AssetError> {
    length(context)
}

/// The second of a chain.
#[asset(partitions = DAILY)]
fn second(first: i64) -> i64 {
    first + 1
}

/// The third of a chain.
#[asset(partitions = DAILY)]
fn third(second: i64) -> i64 {
    second + 1
}

fn length(context: &AssetContext) -> Result<i64, AssetError> {
    let length = context.partition_key()?.as_str().len();
    i64::try_from(length).terminal()
}

fn main() -> ExitCode {
    precip::main(|| Definitions::builder().discover().build())
}
