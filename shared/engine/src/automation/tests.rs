use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    automation::AutomationCondition,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, DepSpec, OpSpec},
};

use super::{AutomationTick, StoredCursor, automation_trigger, evaluate_automation};
use crate::{
    asset::{AssetContext, FnBody, Inputs, OpOutputs, Resources, RunFuture},
    definitions::{Definitions, OpDefinition},
    run_id::RunId,
    state::{
        Advance, Advanced, Materialization, NewRun, PartitionRef, PlanSummary, RequestedWork,
        StateStore, TickRequest, memory::MemoryStore,
    },
};

fn do_nothing(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}

fn at_second(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Defines `up` and, downstream of it with an automation condition, `down`, each with partitions
/// `a` and `b`.
fn up_and_down_definitions(condition: AutomationCondition) -> Definitions {
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
        .op(OpDefinition::new(OpSpec::single(up), FnBody(do_nothing)))
        .op(OpDefinition::new(OpSpec::single(down), FnBody(do_nothing)))
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
            definitions: up_and_down_definitions(condition),
            state: Arc::new(MemoryStore::new()),
        }
    }

    async fn evaluate_at(&self, seconds: i64) -> AutomationTick {
        let context = PartitionContext::at(at_second(seconds));
        evaluate_automation(&self.definitions, &self.state, &context)
            .await
            .unwrap()
    }

    /// Evaluates, records the tick, and returns the requested partitions of `down`.
    async fn record_tick_at(&self, seconds: i64) -> PartitionSet {
        let tick = self.evaluate_at(seconds).await;
        let advance = Advance {
            revision: tick.revision,
            cursor: Some(
                serde_json::to_string(&StoredCursor {
                    cursor: tick.evaluation.cursor.clone(),
                    seen: tick.seen,
                    ..StoredCursor::default()
                })
                .unwrap(),
            ),
            at: at_second(seconds),
            scheduled_for: None,
            request: TickRequest::Skip { reason: None },
            note: None,
        };
        let advanced = self
            .state
            .advance_trigger(&automation_trigger(), advance)
            .await
            .unwrap();
        assert!(matches!(advanced, Advanced::Done { .. }));
        tick.evaluation
            .requested
            .get("down")
            .cloned()
            .unwrap_or_default()
    }

    /// Materializes one partition of an asset in a run of its own, from second `began` to `ended`.
    async fn materialize_partition(
        &self,
        asset: &str,
        partition: &str,
        version: &str,
        began: i64,
        ended: i64,
    ) {
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
            request: RequestedWork::default(),
            plan: Some(plan),
            created_at: at_second(began),
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
            started_at: at_second(began),
            finished_at: at_second(ended),
        };
        self.state
            .commit_materializations(vec![made])
            .await
            .unwrap();
    }
}

fn ordinal_set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

#[tokio::test]
async fn an_upstream_update_requests_downstream_partitions() {
    let project = Project::new(AutomationCondition::eager());
    assert_eq!(project.record_tick_at(0).await, ordinal_set([]));
    project.materialize_partition("up", "b", "1", 10, 11).await;
    assert_eq!(project.record_tick_at(20).await, ordinal_set([1]));
    // A partition is requested once per update.
    assert_eq!(project.record_tick_at(30).await, ordinal_set([]));
}

#[tokio::test]
async fn an_upstream_update_during_a_downstream_run_is_not_lost() {
    let project = Project::new(AutomationCondition::eager());
    project.materialize_partition("up", "a", "1", 1, 2).await;
    project.record_tick_at(3).await;
    project.materialize_partition("up", "a", "2", 11, 12).await;
    // Ends last, but began before its input was published.
    project
        .materialize_partition("down", "a", "1", 10, 20)
        .await;
    assert_eq!(project.record_tick_at(30).await, ordinal_set([0]));
    project
        .materialize_partition("down", "a", "2", 31, 40)
        .await;
    assert_eq!(project.record_tick_at(50).await, ordinal_set([]));
}

#[tokio::test]
async fn the_same_data_again_changes_no_data_version() {
    let project = Project::new(AutomationCondition::any_deps_match(
        AutomationCondition::data_version_changed(),
    ));
    project.materialize_partition("up", "a", "1", 1, 2).await;
    project.materialize_partition("up", "b", "1", 1, 2).await;
    project.record_tick_at(3).await;
    // `a` gets the same data version again, `b` a new one.
    project.materialize_partition("up", "a", "1", 10, 11).await;
    project.materialize_partition("up", "b", "2", 10, 11).await;
    assert_eq!(project.record_tick_at(20).await, ordinal_set([1]));
}

#[tokio::test]
async fn evaluating_changes_nothing() {
    let project = Project::new(AutomationCondition::missing());
    let first = project.evaluate_at(1).await;
    assert_eq!(first, project.evaluate_at(1).await);
    assert_eq!(first.revision, 0);
    let explanation = &first.evaluation.explanations["down"];
    let context = PartitionContext::at(at_second(1));
    assert_eq!(
        explanation.render_tree(project.definitions.graph(), &context),
        "+ missing: 2 of 2 (a, b)\n"
    );
}
