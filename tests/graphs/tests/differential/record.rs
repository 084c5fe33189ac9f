//! What is on record of a run: what two places have to agree about.

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

/// One run, and everything of its assets.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    status: RunStatus,
    /// How much failed and was held back, in words.
    message: Option<String>,
    /// How many partitions of each asset were planned.
    planned: BTreeMap<AssetKey, u64>,
    progress: RunProgress,
    /// By asset and partition.
    partitions: BTreeMap<String, Partition>,
    /// What the run did not try. Of several failures that hold something back any may be the reason on
    /// record: which one came first hangs on time.
    skipped: BTreeSet<(AssetKey, u64)>,
    /// What the run gave up on.
    failed: BTreeMap<String, ErrorKind>,
    /// The checks that are failures of the run.
    failed_checks: BTreeSet<(CheckKey, String)>,
}

/// What is known of a partition.
#[derive(Debug, PartialEq)]
struct Partition {
    /// The run that made it, what it made, and the version of that, which says what it was made from.
    published: Option<(RunId, Option<MetadataValue>, String)>,
    failure: Option<(RunId, ErrorKind, String)>,
    checks: BTreeMap<String, (RunId, CheckOutcome, Severity, bool)>,
    /// By the status sets: materialized, failed, in progress.
    status: [bool; 3],
}

const PAGE: usize = 1_000;

impl Record {
    /// Reads what is on record of a run, and of the assets of a group.
    pub(crate) async fn of(
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
            .expect("the run is on record");
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
        for target in targets(definitions, context, group) {
            let partition = partition(store, &target).await;
            record.partitions.insert(target.to_string(), partition);
        }
        let page = PageRequest::first(PAGE);
        for failure in store.run_failures(id, &page).await.unwrap().items {
            let target = failure.target.to_string();
            record.failed.insert(target, failure.kind);
        }
        for found in store.run_failed_checks(id, &page).await.unwrap().items {
            let place = (found.check, found.target.to_string());
            record.failed_checks.insert(place);
        }
        for skipped in store.run_untried(id).await.unwrap() {
            let is_so = match &skipped.reason {
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
                // No asset of these projects returns `None`.
                UntriedReason::UpstreamSkipped { .. } | UntriedReason::Canceled => false,
            };
            assert!(is_so, "{skipped:?} in {record:?}");
            let all = skipped.partitions.iter();
            let all = all.map(|ordinal| (skipped.asset.clone(), ordinal));
            record.skipped.extend(all);
        }
        record
    }

    /// How it ended.
    pub(crate) fn status(&self) -> RunStatus {
        self.status
    }

    /// How many partitions the run did not try.
    pub(crate) fn held(&self) -> usize {
        self.skipped.len()
    }
}

/// What readers see of a partition.
#[derive(Debug)]
pub(crate) struct Published {
    /// What it is, by the record.
    pub(crate) value: Option<i64>,
    /// Where it is.
    pub(crate) pointer: String,
    /// The attempt that made it, from 1.
    pub(crate) attempt: u32,
}

async fn all_targets(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<PartitionRef> {
    let context = partition_context(definitions, store, SystemClock.now()).await;
    targets(definitions, &context.unwrap(), group)
}

/// What readers see of the assets of a group, by partition.
pub(crate) async fn published(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<(String, Option<Published>)> {
    let targets = all_targets(store, definitions, group).await;
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

/// The partitions of the assets of a group that a run has published more than once by the record.
pub(crate) async fn made_twice(
    store: &Arc<dyn StateStore>,
    definitions: &Definitions,
    group: &str,
) -> Vec<(String, RunId)> {
    let mut twice = Vec::new();
    for target in all_targets(store, definitions, group).await {
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

fn targets(
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

async fn partition(store: &dyn StateStore, target: &PartitionRef) -> Partition {
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
        status: [statuses.materialized, statuses.failed, statuses.in_progress]
            .map(|set| set.contains(target.ordinal)),
    }
}
