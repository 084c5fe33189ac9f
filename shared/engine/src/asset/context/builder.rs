//! The builder of [`AssetContext`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    partitions::{MultiPartitionKey, PartitionKey, TimeWindow},
};
use ulid::Ulid;

use super::{AssetContext, Invocation, PartitionScope};
use crate::{
    asset::Asset,
    run::{Clock, SystemClock},
    run_id::RunId,
    state::CheckEvaluation,
};

/// A builder of an [`AssetContext`]. The defaults describe the simplest case: the first attempt at
/// an unpartitioned asset, without config, now, in the run whose id is 26 zeros.
#[derive(Debug, Clone)]
pub struct AssetContextBuilder {
    run: RunId,
    attempt: u32,
    now: Option<DateTime<Utc>>,
    selected: Vec<AssetKey>,
    partitions: Vec<PartitionScope>,
    tags: BTreeMap<String, String>,
    config: serde_json::Value,
    previous_checks: Vec<CheckEvaluation>,
}

impl Default for AssetContextBuilder {
    fn default() -> Self {
        Self {
            run: RunId::new(Ulid::nil()),
            attempt: 1,
            now: None,
            selected: Vec::new(),
            partitions: Vec::new(),
            tags: BTreeMap::new(),
            config: serde_json::Value::Null,
            previous_checks: Vec::new(),
        }
    }
}

impl AssetContextBuilder {
    /// Sets the run.
    #[must_use]
    pub fn run(mut self, run: RunId) -> Self {
        self.run = run;
        self
    }

    /// Sets the number of the attempt, from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the time at which the attempt began.
    #[must_use]
    pub fn now(mut self, now: DateTime<Utc>) -> Self {
        self.now = Some(now);
        self
    }

    /// Adds assets that the invocation is asked to materialize, in the op's order.
    #[must_use]
    pub fn selected(mut self, assets: impl IntoIterator<Item = AssetKey>) -> Self {
        self.selected.extend(assets);
        self
    }

    /// Adds an asset that the invocation is asked to materialize.
    #[must_use]
    pub fn select<A: Asset>(self) -> Self {
        self.selected([A::key()])
    }

    /// Adds a partition by its key.
    #[must_use]
    pub fn partition(self, key: impl Into<PartitionKey>) -> Self {
        self.scopes([PartitionScope::from(key.into())])
    }

    /// Adds a partition that covers a time window.
    #[must_use]
    pub fn partition_window(self, key: impl Into<PartitionKey>, window: TimeWindow) -> Self {
        self.scopes([PartitionScope {
            window: Some(window),
            ..PartitionScope::from(key.into())
        }])
    }

    /// Adds a partition of several dimensions.
    #[must_use]
    pub fn dimensions<D: Into<String>, K: Into<PartitionKey>>(
        self,
        keys: impl IntoIterator<Item = (D, K)>,
    ) -> Self {
        let dimensions: BTreeMap<String, PartitionKey> = keys
            .into_iter()
            .map(|(dimension, key)| (dimension.into(), key.into()))
            .collect();
        self.scopes([PartitionScope {
            key: MultiPartitionKey(dimensions.clone()).to_key(),
            dimensions,
            window: None,
        }])
    }

    /// Adds partitions as an executor resolves them.
    #[must_use]
    pub fn scopes(mut self, partitions: impl IntoIterator<Item = PartitionScope>) -> Self {
        self.partitions.extend(partitions);
        self
    }

    /// Adds earlier evaluations of the op's checks.
    #[must_use]
    pub fn previous_checks(mut self, found: impl IntoIterator<Item = CheckEvaluation>) -> Self {
        self.previous_checks.extend(found);
        self
    }

    /// Adds a tag of the run.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Sets the tags of the run.
    #[must_use]
    pub fn tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.tags = tags;
        self
    }

    /// Sets the op's part of the run config.
    #[must_use]
    pub fn config(mut self, config: serde_json::Value) -> Self {
        self.config = config;
        self
    }

    /// Builds the context.
    pub fn build(self) -> AssetContext {
        AssetContext(Arc::new(Invocation {
            run: self.run,
            attempt: self.attempt,
            now: self.now.unwrap_or_else(|| SystemClock.now()),
            selected: self.selected,
            partitions: self.partitions,
            tags: self.tags,
            config: self.config,
            previous_checks: self.previous_checks,
            added: Mutex::default(),
        }))
    }
}
