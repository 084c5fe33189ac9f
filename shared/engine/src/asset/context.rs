//! [`AssetContext`]: access of an asset's function to its own run.

mod builder;
mod scope;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    metadata::{Metadata, MetadataValue},
    partitions::{PartitionKey, TimeWindow},
};
use serde::de::DeserializeOwned;

pub use self::{
    builder::AssetContextBuilder,
    scope::{InvalidPartitionUse, PartitionScope},
};
use crate::{
    asset::{Asset, AssetLog, InvalidConfig, read_config},
    run_id::RunId,
    state::CheckEvaluation,
};

/// The context of an asset's function: its run, its partitions and its config, and the means to
/// add metadata. Like Dagster's `AssetExecutionContext`.
///
/// Clones share their contents. A unit test builds one by hand:
///
/// ```
/// use precip_engine::asset::AssetContext;
///
/// let context = AssetContext::builder().partition("2013-01-31").build();
/// assert_eq!(context.partition_key()?.as_str(), "2013-01-31");
/// # Ok::<(), precip_engine::asset::InvalidPartitionUse>(())
/// ```
#[derive(Debug, Clone)]
pub struct AssetContext(Arc<Invocation>);

#[derive(Debug)]
struct Invocation {
    run: RunId,
    attempt: u32,
    now: DateTime<Utc>,
    selected: Vec<AssetKey>,
    partitions: Vec<PartitionScope>,
    tags: BTreeMap<String, String>,
    config: serde_json::Value,
    previous_checks: Vec<CheckEvaluation>,
    /// Metadata that the function added, by asset; `None` applies to all assets.
    added: Mutex<BTreeMap<Option<AssetKey>, Metadata>>,
}

impl AssetContext {
    /// Creates a builder, for unit tests and executors.
    pub fn builder() -> AssetContextBuilder {
        AssetContextBuilder::default()
    }

    /// Returns the id of the run.
    pub fn run_id(&self) -> RunId {
        self.0.run
    }

    /// Returns earlier evaluations of this op's checks, if the op
    /// [reads them](crate::definitions::OpDefinition::reads_previous_checks): those of its
    /// partition, then those of the partition before it. A repeated attempt also sees those of its
    /// own run.
    pub fn previous_checks(&self) -> &[CheckEvaluation] {
        &self.0.previous_checks
    }

    /// Returns the number of the attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Returns the time at which the attempt began, by the clock of the run: with `--now`, the time
    /// given there. Code that compares data with the present uses it, so that it can be tried for
    /// any time.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now
    }

    /// Returns the assets that this invocation is asked to materialize, in the op's order.
    pub fn selected(&self) -> &[AssetKey] {
        &self.0.selected
    }

    /// Returns `true` if this invocation is asked to materialize an asset. A multi-asset with
    /// `can_subset` checks this before it computes one.
    pub fn is_selected<A: Asset>(&self) -> bool {
        self.is_key_selected(A::KEY)
    }

    /// Like [`Self::is_selected`], for a key known only at run time.
    pub fn is_key_selected(&self, key: &str) -> bool {
        self.0
            .selected
            .iter()
            .any(|selected| selected.as_str() == key)
    }

    /// Returns the partitions that this invocation materializes: none for an unpartitioned asset,
    /// usually one, or several under a backfill policy that batches partitions.
    pub fn partitions(&self) -> &[PartitionScope] {
        &self.0.partitions
    }

    /// Returns the keys of [`Self::partitions`].
    pub fn partition_keys(&self) -> impl ExactSizeIterator<Item = &PartitionKey> {
        self.0.partitions.iter().map(|scope| &scope.key)
    }

    /// Returns the only partition of this invocation.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, unless there is exactly one.
    pub fn partition(&self) -> Result<&PartitionScope, InvalidPartitionUse> {
        match self.0.partitions.as_slice() {
            [only] => Ok(only),
            [] => Err(InvalidPartitionUse::Unpartitioned),
            several => Err(InvalidPartitionUse::Several {
                count: several.len(),
            }),
        }
    }

    /// Returns the key of the only partition of this invocation.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, unless there is exactly one.
    pub fn partition_key(&self) -> Result<&PartitionKey, InvalidPartitionUse> {
        self.partition().map(|scope| &scope.key)
    }

    /// Returns the key of one dimension of the only partition of this invocation.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when there is no such dimension, and as for
    /// [`Self::partition_key`].
    pub fn dimension_key(&self, dimension: &str) -> Result<&PartitionKey, InvalidPartitionUse> {
        self.partition()?.dimension(dimension)
    }

    /// Returns the time that this invocation covers, from the start of its first window to the end
    /// of its last. Like Dagster's `partition_time_window`.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when its partitions are not time windows.
    pub fn partition_window(&self) -> Result<TimeWindow, InvalidPartitionUse> {
        let windows = self
            .0
            .partitions
            .iter()
            .map(|scope| scope.window.ok_or(InvalidPartitionUse::NotTime))
            .collect::<Result<Vec<_>, _>>()?;
        // Gaps between the windows of a batch count as covered.
        let start = windows.iter().map(|window| window.start).min();
        let end = windows.iter().map(|window| window.end).max();
        match (start, end) {
            (Some(start), Some(end)) => Ok(TimeWindow { start, end }),
            _ => Err(InvalidPartitionUse::Unpartitioned),
        }
    }

    /// Returns the run's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.0.tags
    }

    /// Returns the op's part of the run config as it was given, `Null` when there is none. A
    /// `#[config]` parameter holds the same, parsed into a type.
    pub fn raw_config(&self) -> &serde_json::Value {
        &self.0.config
    }

    /// Parses the op's part of the run config into a type.
    ///
    /// # Errors
    /// [`InvalidConfig`], terminal, which names the field and the expected value.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, InvalidConfig> {
        read_config(&self.0.config)
    }

    /// Returns a logger for messages about this invocation.
    pub fn log(&self) -> AssetLog<'_> {
        AssetLog(self)
    }

    /// Adds metadata to the materialization of every asset of this invocation. An entry that the
    /// function returns under the same name replaces it.
    pub fn add_metadata(&self, name: impl Into<String>, value: impl Into<MetadataValue>) {
        self.add_entry(None, name.into(), value.into());
    }

    /// Adds metadata to the materialization of one asset of a multi-asset.
    pub fn add_metadata_to<A: Asset>(
        &self,
        name: impl Into<String>,
        value: impl Into<MetadataValue>,
    ) {
        self.add_entry(Some(A::key()), name.into(), value.into());
    }

    fn add_entry(&self, asset: Option<AssetKey>, name: String, value: MetadataValue) {
        let mut added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.entry(asset).or_default().insert(name, value);
    }

    /// Returns the metadata added for an asset so far.
    pub fn added_metadata(&self, asset: &AssetKey) -> Metadata {
        let added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = added.get(&None).cloned().unwrap_or_default();
        // Metadata of the asset itself replaces metadata for all assets.
        if let Some(own) = added.get(&Some(asset.clone())) {
            all.extend(own.clone());
        }
        all
    }
}
