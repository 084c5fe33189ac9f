//! What is on record of a run: what two places have to agree about.

use std::collections::{BTreeMap, BTreeSet};

use precip::{
    Definitions,
    core::{key::AssetKey, metadata::MetadataValue, partitions::PartitionContext},
    engine::{
        asset::ErrorKind,
        run_id::RunId,
        state::{
            CheckOutcome, Latest, PageRequest, PartitionRef, ReadConsistency, RunProgress,
            RunStatus, SkipReason, StateStore,
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
    /// What the run did not try, and why.
    skipped: BTreeMap<(AssetKey, u64), BTreeSet<&'static str>>,
    /// What the run gave up on.
    failed: BTreeMap<String, ErrorKind>,
    /// The checks that are failures of the run.
    failed_checks: BTreeSet<String>,
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
        let run = store.run(id).await.unwrap().expect("the run is on record");
        let mut record = Self {
            status: run.status,
            message: run.message,
            planned: run.plan.unwrap().assets,
            progress: store.progress(id).await.unwrap(),
            partitions: BTreeMap::new(),
            skipped: BTreeMap::new(),
            failed: BTreeMap::new(),
            failed_checks: BTreeSet::new(),
        };
        for target in targets(definitions, context, group) {
            let partition = partition(store, &target).await;
            record.partitions.insert(target.to_string(), partition);
        }
        for skipped in store.skipped(id).await.unwrap() {
            for ordinal in skipped.partitions.iter() {
                let place = (skipped.asset.clone(), ordinal);
                let reasons = record.skipped.entry(place).or_default();
                reasons.insert(match skipped.reason {
                    SkipReason::UpstreamFailed { .. } => "upstream failed",
                    SkipReason::CheckFailed { .. } => "check failed",
                    SkipReason::Canceled => "canceled",
                });
            }
        }
        let page = PageRequest::first(PAGE);
        for failure in store.failures(id, &page).await.unwrap().items {
            let target = failure.target.to_string();
            record.failed.insert(target, failure.kind);
        }
        for found in store.failed_checks(id, &page).await.unwrap().items {
            let place = format!("{} of {}", found.check.name, found.target);
            record.failed_checks.insert(place);
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
    let latest = store.latest(target, strong).await.unwrap();
    let statuses = store.statuses(&target.asset).await.unwrap();
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
