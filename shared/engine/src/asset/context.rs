//! [`AssetContext`]: what an asset's function can ask about its own run.

use std::collections::BTreeMap;

use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, TimeWindow},
};

use crate::run_id::RunId;

/// One partition that an invocation makes, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionScope {
    /// The partition's key.
    pub key: PartitionKey,
    /// The key of each dimension; empty for a definition of one dimension.
    pub dimensions: BTreeMap<String, PartitionKey>,
    /// The window of time it covers, where one of its dimensions is time.
    pub window: Option<TimeWindow>,
}

/// What an asset's function can ask about its own run.
#[derive(Debug, Clone)]
pub struct AssetContext {
    /// The run.
    pub run: RunId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The assets that this invocation is asked for, in the op's order.
    pub selected: Vec<AssetKey>,
    /// The partitions it makes: none for an unpartitioned asset, one as a rule, several under a
    /// batching backfill policy.
    pub partitions: Vec<PartitionScope>,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The op's part of the run config; `Null` when none was given.
    pub config: serde_json::Value,
}
