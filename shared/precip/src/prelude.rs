//! The names that a file with assets needs: `use precip::prelude::*;`.

pub use precip_core::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    mapping::PartitionMapping,
    partitions::{PartitionKey, PartitionsDefinition, TimeWindow},
    spec::{ComputeProfile, RetryPolicy, Severity},
};

pub use crate::{
    Asset, AssetContext, AssetError, CheckResult, Definitions, Environment, InvalidDefinitions,
    Json, LazyPartitions, MaterializeResult, Output, Partitions, RunRequest, ScheduleContext,
    SensorContext, SensorResult, Skip, Table, Terminal, asset, asset_check, env, external_asset,
    multi_asset, partitions, schedule, secret, sensor,
};
