use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    automation::AutomationCondition,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, DepSpec, OpSpec},
};

use super::{AutomationTick, StoredCursor, evaluate_automation, trigger};
use crate::{
    asset::{AssetContext, FnBody, Inputs, OpOutputs, Resources, RunFuture},
    definitions::{Definitions, OpDefinition},
    run_id::RunId,
    state::{
        Advance, Advanced, Materialization, NewRun, PartitionRef, PlanSummary, RunRequest,
        StateStore, TickRequest, memory::MemoryStore,
    },
};

fn nothing(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// `up` and, made from it under a condition, `down`: both of the partitions `a` and `b`.
fn definitions(condition: AutomationCondition) -> Definitions {
    let keys = StaticPartitions::new(["a", "b"]).unwrap();
    let keys = Arc::new(PartitionsDefinition::from(keys));
    let asset = |key: &str| AssetSpec {
        partitions: Some(Arc::clone(&keys)),
        ..AssetSpec::new(key.parse().unwrap())
    };
    let up = asset("up");
    let mut down = asset("down");
    down.deps = vec![DepSpec::new(up.key.clone())];
    down.automation = Some(condition);
    Definitions::builder()
        .op(OpDefinition::new(OpSpec::single(up), FnBody(nothing)))
        .op(OpDefinition::new(OpSpec::single(down), FnBody(nothing)))
        .build()
        .unwrap()
}

struct Project {
    definitions: Definitions,
    state: Arc<dyn StateStore>,
}

impl Project {
    fn new(condition: AutomationCondition) -> Self {
        Self {
            definitions: definitions(condition),
            state: Arc::new(MemoryStore::new()),
        }
    }

    async fn tick(&self, seconds: i64) -> AutomationTick {
        let context = PartitionContext::at(at(seconds));
        evaluate_automation(&self.definitions, &self.state, &context)
            .await
            .unwrap()
    }

    /// Evaluates, puts the tick on record, and answers which partitions of `down` are requested.
    async fn ticked(&self, seconds: i64) -> PartitionSet {
        let tick = self.tick(seconds).await;
        let advance = Advance {
            revision: tick.revision,
            cursor: Some(
                serde_json::to_string(&StoredCursor {
                    cursor: tick.evaluation.cursor.clone(),
                    seen: tick.seen,
                    pending: Vec::new(),
                })
                .unwrap(),
            ),
            at: at(seconds),
            scheduled_for: None,
            request: TickRequest::Skip { reason: None },
            note: None,
        };
        let advanced = self.state.advance(&trigger(), advance).await.unwrap();
        assert!(matches!(advanced, Advanced::Done { .. }));
        tick.evaluation
            .requested
            .get("down")
            .cloned()
            .unwrap_or_default()
    }

    /// A run makes one partition of one asset from one second to another.
    async fn make(&self, asset: &str, partition: &str, version: &str, began: i64, ended: i64) {
        let asset: AssetKey = asset.parse().unwrap();
        let ordinal = u64::from(partition == "b");
        let run = RunId::new(ulid::Ulid::from_parts(
            u64::try_from(began * 1_000).unwrap(),
            u128::from(ordinal),
        ));
        let plan = PlanSummary {
            assets: [(asset.clone(), 1)].into(),
            ..PlanSummary::default()
        };
        let new = NewRun {
            id: run,
            key: None,
            request: RunRequest::default(),
            plan: Some(plan),
            created_at: at(began),
        };
        self.state.create_run(new).await.unwrap();
        let made = Materialization {
            target: PartitionRef::new(asset, partition, ordinal),
            run,
            attempt: 1,
            pointer: None,
            metadata: precip_core::metadata::Metadata::new(),
            data_version: version.to_owned(),
            code_version: None,
            inputs: Vec::new(),
            checks: Vec::new(),
            started_at: at(began),
            finished_at: at(ended),
        };
        self.state.finish(vec![made]).await.unwrap();
    }
}

fn set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

#[tokio::test]
async fn an_upstream_update_requests_what_is_made_from_it() {
    let project = Project::new(AutomationCondition::eager());
    assert_eq!(project.ticked(0).await, set([]));
    project.make("up", "b", "1", 10, 11).await;
    assert_eq!(project.ticked(20).await, set([1]));
    // It was asked for: once is enough.
    assert_eq!(project.ticked(30).await, set([]));
}

#[tokio::test]
async fn what_lands_upstream_while_the_target_is_at_work_is_not_lost() {
    let project = Project::new(AutomationCondition::eager());
    project.make("up", "a", "1", 1, 2).await;
    project.ticked(3).await;
    project.make("up", "a", "2", 11, 12).await;
    // Ends last, but began before what it is made from was there.
    project.make("down", "a", "1", 10, 20).await;
    assert_eq!(project.ticked(30).await, set([0]));
    project.make("down", "a", "2", 31, 40).await;
    assert_eq!(project.ticked(50).await, set([]));
}

#[tokio::test]
async fn the_same_data_again_changes_no_data_version() {
    let project = Project::new(AutomationCondition::any_deps_match(
        AutomationCondition::data_version_changed(),
    ));
    project.make("up", "a", "1", 1, 2).await;
    project.make("up", "b", "1", 1, 2).await;
    project.ticked(3).await;
    project.make("up", "a", "1", 10, 11).await;
    project.make("up", "b", "2", 10, 11).await;
    assert_eq!(project.ticked(20).await, set([1]));
}

#[tokio::test]
async fn looking_changes_nothing() {
    let project = Project::new(AutomationCondition::missing());
    let first = project.tick(1).await;
    assert_eq!(first, project.tick(1).await);
    assert_eq!(first.revision, 0);
    let explanation = &first.evaluation.explanations["down"];
    let context = PartitionContext::at(at(1));
    assert_eq!(
        explanation.render(project.definitions.graph(), &context),
        "+ missing: 2 of 2 (a, b)\n"
    );
}
