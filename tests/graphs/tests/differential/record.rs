//! The record of a run, as far as a laptop and AWS have to agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use precip::{
    Definitions,
    core::{
        key::{AssetKey, CheckKey},
        metadata::MetadataValue,
        partitions::PartitionContext,
    },
    engine::{
        asset::ErrorKind,
        run::{Clock, SystemClock, partition_context},
        run_id::RunId,
        state::{
            CheckOutcome, Event, Latest, PageRequest, PartitionRef, ReadConsistency, RunProgress,
            RunStatus, StateStore, UntriedReason,
        },
    },
    prelude::Severity,
};

/// A run, and the state of its assets.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    status: RunStatus,
    /// The numbers of failed and held back items, in words.
    message: Option<String>,
    /// The number of planned partitions, by asset.
    planned: BTreeMap<AssetKey, u64>,
    progress: RunProgress,
    /// The partitions, by their names.
    partitions: BTreeMap<String, Partition>,
    /// The skipped partitions, without the reasons: if several failures hold one back, the reason is the
    /// one that came first.
    skipped: BTreeSet<(AssetKey, u64)>,
    /// The failed items.
    failed: BTreeMap<String, ErrorKind>,
    /// The checks that failed the run.
    failed_checks: BTreeSet<(CheckKey, String)>,
}

/// The state of a partition.
#[derive(Debug, PartialEq)]
struct Partition {
    /// The publishing run, the value, and the data version, which follows from its inputs.
    published: Option<(RunId, Option<MetadataValue>, String)>,
    failure: Option<(RunId, ErrorKind, String)>,
    /// The run whose function had nothing to make.
    skip: Option<RunId>,
    checks: BTreeMap<String, (RunId, CheckOutcome, Severity, bool)>,
    /// Membership in the status sets: materialized, failed, in progress, skipped.
    status: [bool; 4],
}

const PAGE: usize = 1_000;

impl Record {
    /// Reads the record of a run, and of the assets of its group.
    pub(crate) async fn read(
        store: &dyn StateStore,
        definitions: &Definitions,
        context: &PartitionContext,
        group: &str,
        id: RunId,
    ) -> Self {
        let run = store
            .find_run(id)
            .await
            .unwrap()
            .expect("the run is recorded");
        let mut record = Self {
            status: run.status,
            message: run.message,
            planned: run.plan.unwrap().assets,
            progress: store.run_progress(id).await.unwrap(),
            partitions: BTreeMap::new(),
            skipped: BTreeSet::new(),
            failed: BTreeMap::new(),
            failed_checks: BTreeSet::new(),
        };
        for target in list_targets(definitions, context, group) {
            let partition = read_partition(store, &target).await;
            record.partitions.insert(target.to_string(), partition);
        }
        let page = PageRequest::first(PAGE);
        for failure in store.run_failures(id, &page).await.unwrap().items {
            let target = failure.target.to_string();
            record.failed.insert(target, failure.kind);
        }
        for found in store.run_failed_checks(id, &page).await.unwrap().items {
            let failed_check = (found.check, found.target.to_string());
            record.failed_checks.insert(failed_check);
        }
        for skipped in store.run_untried(id).await.unwrap() {
            // Every skip has a reason among the failures of this run.
            let is_explained = match &skipped.reason {
                UntriedReason::UpstreamFailed { asset, partition } => {
                    let named = |target: &String| {
                        let key = partition.as_ref().map(|key| format!("[{key}]"));
                        *target == format!("{asset}{}", key.unwrap_or_default())
                    };
                    record.failed.keys().any(named)
                }
                UntriedReason::CheckFailed { check } => {
                    let mut found = record.failed_checks.iter();
                    found.any(|(failed, _)| failed == check)
                }
                UntriedReason::UpstreamSkipped { asset, partition } => {
                    let key = partition.as_ref().map(|key| format!("[{key}]"));
                    let name = format!("{asset}{}", key.unwrap_or_default());
                    let partition = record.partitions.get(&name);
                    partition.is_some_and(|partition| partition.skip.is_some())
                }
                UntriedReason::Canceled => false,
            };
            assert!(is_explained, "{skipped:?} in {record:?}");
            let ordinals = skipped.partitions.iter();
            record
                .skipped
                .extend(ordinals.map(|ordinal| (skipped.asset.clone(), ordinal)));
        }
        record
    }

    /// Returns how the run ended.
    pub(crate) fn status(&self) -> RunStatus {
        self.status
    }

    /// Returns the number of partitions that were skipped, for themselves or with something upstream.
    pub(crate) fn skipped_count(&self) -> u64 {
        self.progress.skipped
    }

    /// Returns the number of partitions that were not tried.
    pub(crate) fn held_back(&self) -> usize {
        self.skipped.len()
    }
}

/// A published partition.
#[derive(Debug)]
pub(crate) struct Published {
    /// Its value, by the metadata.
    pub(crate) value: Option<i64>,
    /// The pointer to its data.
    pub(crate) pointer: String,
    /// The publishing attempt, from 1.
    pub(crate) attempt: u32,
}

/// Lists the partitions of a group as they are now.
async fn list_current_targets(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<PartitionRef> {
    let context = partition_context(definitions, store, SystemClock.now()).await;
    list_targets(definitions, &context.unwrap(), group)
}

/// Reads the published partitions of a group, by name.
pub(crate) async fn read_published(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<(String, Option<Published>)> {
    let targets = list_current_targets(store, definitions, group).await;
    let strong = ReadConsistency::Strong;
    let latest = store
        .latest_materializations(&targets, strong)
        .await
        .unwrap();
    let published = |latest: Option<Latest>| {
        let made = latest?.published()?.clone();
        Some(Published {
            value: match made.metadata.get("value") {
                Some(MetadataValue::Int(value)) => Some(*value),
                _ => None,
            },
            pointer: made.pointer.unwrap_or_default(),
            attempt: made.attempt,
        })
    };
    let names = targets.iter().map(ToString::to_string);
    names.zip(latest.into_iter().map(published)).collect()
}

/// Lists the partitions of a group that a run has published more than once.
pub(crate) async fn published_twice(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<(String, RunId)> {
    let mut twice = Vec::new();
    for target in list_current_targets(store, definitions, group).await {
        let page = PageRequest::first(PAGE);
        let events = store.partition_events(&target, &page).await.unwrap();
        let mut runs = BTreeSet::new();
        for event in events.items {
            if let Event::Materialized(made) = event
                && !runs.insert(made.run)
            {
                twice.push((target.to_string(), made.run));
            }
        }
    }
    twice
}

/// Lists the partitions of a group.
fn list_targets(
    definitions: &Definitions,
    context: &PartitionContext,
    group: &str,
) -> Vec<PartitionRef> {
    let graph = definitions.graph();
    let of_group = graph.ids().filter(|id| graph.asset(*id).group == group);
    of_group
        .flat_map(|id| {
            let key = graph.key(id);
            match graph.partitions(id) {
                None => vec![PartitionRef::unpartitioned(key.clone())],
                Some(definition) => {
                    let all = definition.all(context);
                    let target = |ordinal| {
                        let partition = definition.key(ordinal, context)?;
                        Some(PartitionRef::new(key.clone(), partition, ordinal))
                    };
                    all.iter().filter_map(target).collect()
                }
            }
        })
        .collect()
}

/// Reads the state of a partition.
async fn read_partition(store: &dyn StateStore, target: &PartitionRef) -> Partition {
    let strong = ReadConsistency::Strong;
    let latest = store.latest_materialization(target, strong).await.unwrap();
    let statuses = store.partition_statuses(&target.asset).await.unwrap();
    let checks = store.latest_checks(target).await.unwrap();
    let made = latest.as_ref().and_then(Latest::published);
    let failure = latest.as_ref().and_then(|latest| latest.failure.as_ref());
    Partition {
        published: made.map(|made| {
            let value = made.metadata.get("value").cloned();
            (made.run, value, made.data_version.clone())
        }),
        failure: failure.map(|failure| (failure.run, failure.kind, failure.message.clone())),
        checks: checks
            .into_iter()
            .map(|found| {
                let what = (found.run, found.outcome, found.severity, found.blocking);
                (found.check.name, what)
            })
            .collect(),
        skip: latest
            .as_ref()
            .and_then(|latest| Some(latest.skip.as_ref()?.run)),
        status: [
            statuses.materialized,
            statuses.failed,
            statuses.in_progress,
            statuses.skipped,
        ]
        .map(|set| set.contains(target.ordinal)),
    }
}
