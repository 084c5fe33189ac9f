//! [`AssetContext`]: what an asset's function can ask about its own run.

mod builder;
mod scope;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

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

/// What an asset's function can ask about its own run, and where it leaves facts about what it made.
/// As Dagster's `AssetExecutionContext`.
///
/// Copies share what they hold. A unit test makes one by hand:
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
    selected: Vec<AssetKey>,
    partitions: Vec<PartitionScope>,
    tags: BTreeMap<String, String>,
    config: serde_json::Value,
    recalled: Vec<CheckEvaluation>,
    /// What the function added, by asset; `None` for the only asset.
    added: Mutex<BTreeMap<Option<AssetKey>, Metadata>>,
}

impl AssetContext {
    /// A context made by hand or by an executor.
    pub fn builder() -> AssetContextBuilder {
        AssetContextBuilder::default()
    }

    /// The run.
    pub fn run_id(&self) -> RunId {
        self.0.run
    }

    /// What the checks of this op found before, where the op
    /// [asks for it](crate::definitions::OpDefinition::recalls): of its partition, then of the partition before.
    /// What this very run has found of them is among it, when an attempt is repeated.
    pub fn recalled(&self) -> &[CheckEvaluation] {
        &self.0.recalled
    }

    /// 1 for the first attempt.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The assets that this invocation is asked for, in the op's order.
    pub fn selected(&self) -> &[AssetKey] {
        &self.0.selected
    }

    /// Whether this invocation is asked for an asset: what a multi-asset with `can_subset` asks
    /// before it makes one.
    pub fn is_selected<A: Asset>(&self) -> bool {
        self.is_key_selected(A::KEY)
    }

    /// [`Self::is_selected`] for a key that is known at run time only.
    pub fn is_key_selected(&self, key: &str) -> bool {
        self.0
            .selected
            .iter()
            .any(|selected| selected.as_str() == key)
    }

    /// The partitions that this invocation makes: none for an unpartitioned asset, one as a rule,
    /// several under a backfill policy other than one run per partition.
    pub fn partitions(&self) -> &[PartitionScope] {
        &self.0.partitions
    }

    /// The keys of [`Self::partitions`].
    pub fn partition_keys(&self) -> impl ExactSizeIterator<Item = &PartitionKey> {
        self.0.partitions.iter().map(|scope| &scope.key)
    }

    /// The one partition that this invocation makes.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when there is none or there are several.
    pub fn partition(&self) -> Result<&PartitionScope, InvalidPartitionUse> {
        match self.0.partitions.as_slice() {
            [only] => Ok(only),
            [] => Err(InvalidPartitionUse::Unpartitioned),
            several => Err(InvalidPartitionUse::Several {
                count: several.len(),
            }),
        }
    }

    /// The key of the one partition that this invocation makes.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when there is none or there are several.
    pub fn partition_key(&self) -> Result<&PartitionKey, InvalidPartitionUse> {
        self.partition().map(|scope| &scope.key)
    }

    /// The key of one dimension of the one partition that this invocation makes.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when there is no such dimension, and as for
    /// [`Self::partition_key`].
    pub fn dimension_key(&self, dimension: &str) -> Result<&PartitionKey, InvalidPartitionUse> {
        self.partition()?.dimension(dimension)
    }

    /// The time that this invocation covers: from the start of its first window to the end of its
    /// last. As Dagster's `partition_time_window`.
    ///
    /// # Errors
    /// [`InvalidPartitionUse`], terminal, when its partitions are not windows of time.
    pub fn partition_window(&self) -> Result<TimeWindow, InvalidPartitionUse> {
        let windows = self
            .0
            .partitions
            .iter()
            .map(|scope| scope.window.ok_or(InvalidPartitionUse::NotTime))
            .collect::<Result<Vec<_>, _>>()?;
        let start = windows.iter().map(|window| window.start).min();
        let end = windows.iter().map(|window| window.end).max();
        match (start, end) {
            (Some(start), Some(end)) => Ok(TimeWindow { start, end }),
            _ => Err(InvalidPartitionUse::Unpartitioned),
        }
    }

    /// The run's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.0.tags
    }

    /// The op's part of the run config as it was given; `Null` when none was. A `#[config]`
    /// parameter is the same, already read into a type.
    pub fn raw_config(&self) -> &serde_json::Value {
        &self.0.config
    }

    /// The op's part of the run config, read into a type.
    ///
    /// # Errors
    /// [`InvalidConfig`], terminal, which names the place and what is expected there.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, InvalidConfig> {
        read_config(&self.0.config)
    }

    /// Says something about the run in progress.
    pub fn log(&self) -> AssetLog<'_> {
        AssetLog(self)
    }

    /// Adds a fact to keep with the materialization of every asset that this invocation makes. One
    /// that the function returns under the same name replaces it.
    pub fn add_metadata(&self, name: impl Into<String>, value: impl Into<MetadataValue>) {
        self.add(None, name.into(), value.into());
    }

    /// Adds a fact to keep with the materialization of one of the assets of a multi-asset.
    pub fn add_metadata_to<A: Asset>(
        &self,
        name: impl Into<String>,
        value: impl Into<MetadataValue>,
    ) {
        self.add(Some(A::key()), name.into(), value.into());
    }

    fn add(&self, asset: Option<AssetKey>, name: String, value: MetadataValue) {
        let mut added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.entry(asset).or_default().insert(name, value);
    }

    /// The facts that were added for an asset so far.
    pub fn added_metadata(&self, asset: &AssetKey) -> Metadata {
        let added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = added.get(&None).cloned().unwrap_or_default();
        if let Some(own) = added.get(&Some(asset.clone())) {
            all.extend(own.clone());
        }
        all
    }
}
