//! Automation conditions on the record in DynamoDB.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    automation::AutomationCondition,
    partitions::{PartitionsDefinition, StaticPartitions},
    spec::{AssetSpec, DepSpec, OpSpec},
};
use precip_engine::{
    asset::{FnBody, Resources},
    definitions::{Definitions, OpDefinition},
    run::{Clock, SystemClock, SystemRandomness, new_run_id},
    state::{
        Materialization, MaterializationStore, PageRequest, PartitionRef, RunFilter, RunStore,
        StateStore,
    },
    trigger::{TriggerPorts, run_automation},
};

use super::harness::{Dynamo, IdleLauncher, RealTimeSleeper, empty_op};

/// Defines `up`, and `down` that is eagerly made from it; each has two partitions.
fn eager_definitions() -> Definitions {
    let keys = StaticPartitions::new(["x", "y"]).unwrap();
    let keys = Arc::new(PartitionsDefinition::from(keys));
    let asset = |key: &str| AssetSpec {
        partitions: Some(Arc::clone(&keys)),
        ..AssetSpec::new(key.parse().unwrap())
    };
    let mut down = asset("down");
    down.deps = vec![DepSpec::new("up".parse().unwrap())];
    down.automation = Some(AutomationCondition::eager());
    let ops =
        [asset("up"), down].map(|asset| OpDefinition::new(OpSpec::single(asset), FnBody(empty_op)));
    let builder = ops
        .into_iter()
        .fold(Definitions::builder(), |builder, op| builder.op(op));
    builder.build().unwrap()
}

struct Scene {
    dynamo: Dynamo,
    ports: TriggerPorts,
    /// Every batch of the stream so far.
    batches: Vec<Vec<crate::state::dynamo::projection::Change>>,
}

impl Scene {
    async fn new() -> Self {
        let dynamo = Dynamo::new().await;
        let ports = TriggerPorts {
            definitions: Arc::new(eager_definitions()),
            state: Arc::new(dynamo.store.clone()) as Arc<dyn StateStore>,
            clock: Arc::new(SystemClock),
            sleeper: Arc::new(RealTimeSleeper),
            randomness: Arc::new(SystemRandomness),
            launcher: Arc::new(IdleLauncher),
            resources: Arc::new(Resources::new()),
            environment: "test".to_owned(),
        };
        Self {
            dynamo,
            ports,
            batches: Vec::new(),
        }
    }

    /// Publishes partition `x` of an asset, with work that began at `began`.
    async fn publish_partition(&self, asset: &str, began: DateTime<Utc>) {
        let run = new_run_id(&SystemClock, &SystemRandomness);
        let made = Materialization {
            target: PartitionRef::new(asset.parse().unwrap(), "x", 0),
            run,
            attempt: 1,
            pointer: None,
            metadata: Default::default(),
            data_version: run.to_string(),
            code_version: None,
            inputs: Vec::new(),
            checks: Vec::new(),
            started_at: began,
            finished_at: SystemClock.now(),
        };
        self.dynamo
            .store
            .commit_materializations(vec![made])
            .await
            .unwrap();
    }

    /// Processes the unread changes of the stream as the reactor does. Returns the number of runs.
    async fn process_changes(&mut self) -> usize {
        let projector = self.dynamo.projector();
        for batch in self.dynamo.read_changes().await {
            projector.apply_changes(&batch).await.unwrap();
            self.batches.push(batch);
        }
        run_automation(&self.ports).await.unwrap();
        self.count_runs().await
    }

    /// Processes every batch again, in another order. Returns the number of runs.
    async fn process_again(&mut self) -> usize {
        let projector = self.dynamo.projector();
        for batch in self.batches.iter().rev().chain(&self.batches) {
            projector.apply_changes(batch).await.unwrap();
            run_automation(&self.ports).await.unwrap();
        }
        self.count_runs().await
    }

    async fn count_runs(&self) -> usize {
        let page = PageRequest::first(100);
        let runs = self
            .dynamo
            .store
            .list_runs(&RunFilter::default(), &page)
            .await;
        runs.unwrap().items.len()
    }
}

/// dagster-io/dagster#33587: an upstream update lands together with the asset's own materialization. It
/// is lost in neither order, and nothing is requested twice.
#[tokio::test]
async fn an_update_beside_the_targets_own_materialization_is_not_lost() {
    for update_first in [true, false] {
        let mut scene = Scene::new().await;
        assert_eq!(scene.process_changes().await, 0);
        // A first update of `up` requests a run of `down`.
        scene.publish_partition("up", SystemClock.now()).await;
        assert_eq!(scene.process_changes().await, 1);
        let began = SystemClock.now() + TimeDelta::milliseconds(1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let order = if update_first {
            ["up", "down"]
        } else {
            ["down", "up"]
        };
        for asset in order {
            let began = if asset == "down" {
                began
            } else {
                SystemClock.now()
            };
            scene.publish_partition(asset, began).await;
        }
        assert_eq!(
            scene.process_changes().await,
            2,
            "update first: {update_first}"
        );
        assert_eq!(
            scene.process_again().await,
            2,
            "update first: {update_first}"
        );
        // The requested run publishes `down` from both updates: nothing is left to request.
        scene.publish_partition("down", SystemClock.now()).await;
        assert_eq!(
            scene.process_changes().await,
            2,
            "update first: {update_first}"
        );
        assert_eq!(
            scene.process_again().await,
            2,
            "update first: {update_first}"
        );
    }
}

/// A process whose clock is behind publishes after an evaluation has read later stamps.
#[tokio::test]
async fn an_update_with_an_old_stamp_is_not_missed() {
    #[derive(Debug)]
    struct Behind;
    impl Clock for Behind {
        fn now(&self) -> DateTime<Utc> {
            SystemClock.now() - TimeDelta::minutes(10)
        }
    }
    let mut scene = Scene::new().await;
    scene.process_changes().await;
    scene.publish_partition("up", SystemClock.now()).await;
    assert_eq!(scene.process_changes().await, 1);
    scene.publish_partition("down", SystemClock.now()).await;
    assert_eq!(scene.process_changes().await, 1);
    let behind = scene.dynamo.store.clone().with_clock(Arc::new(Behind));
    // The stamp of this update is older than what the last evaluation has read.
    let late = Behind.now();
    let run = new_run_id(&SystemClock, &SystemRandomness);
    let made = Materialization {
        target: PartitionRef::new("up".parse().unwrap(), "y", 1),
        run,
        attempt: 1,
        pointer: None,
        metadata: Default::default(),
        data_version: run.to_string(),
        code_version: None,
        inputs: Vec::new(),
        checks: Vec::new(),
        started_at: late,
        finished_at: late,
    };
    behind.commit_materializations(vec![made]).await.unwrap();
    assert_eq!(scene.process_changes().await, 2);
}
