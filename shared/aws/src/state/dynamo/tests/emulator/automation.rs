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

use super::harness::{Awake, Dynamo, Noted, nothing};

/// `down` is made from `up` eagerly; both of two partitions.
fn definitions() -> Definitions {
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
        [asset("up"), down].map(|asset| OpDefinition::new(OpSpec::single(asset), FnBody(nothing)));
    let builder = ops
        .into_iter()
        .fold(Definitions::builder(), |builder, op| builder.op(op));
    builder.build().unwrap()
}

struct Scene {
    dynamo: Dynamo,
    ports: TriggerPorts,
    /// Every batch of the stream so far.
    told: Vec<Vec<crate::state::dynamo::projection::Change>>,
}

impl Scene {
    async fn new() -> Self {
        let dynamo = Dynamo::new().await;
        let ports = TriggerPorts {
            definitions: Arc::new(definitions()),
            state: Arc::new(dynamo.store.clone()) as Arc<dyn StateStore>,
            clock: Arc::new(SystemClock),
            sleeper: Arc::new(Awake),
            randomness: Arc::new(SystemRandomness),
            launcher: Arc::new(Noted),
            resources: Arc::new(Resources::new()),
            environment: "test".to_owned(),
        };
        Self {
            dynamo,
            ports,
            told: Vec::new(),
        }
    }

    /// Publishes partition `x`; the work on it began at some moment.
    async fn make(&self, asset: &str, began: DateTime<Utc>) {
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
        self.dynamo.store.finish(vec![made]).await.unwrap();
    }

    /// Does what the reactor does with what the stream holds. Answers how many runs there are then.
    async fn react(&mut self) -> usize {
        let projector = self.dynamo.projector();
        for batch in self.dynamo.changes().await {
            projector.apply(&batch).await.unwrap();
            self.told.push(batch);
        }
        run_automation(&self.ports).await.unwrap();
        self.runs().await
    }

    /// Everything that was ever told of is told of again, in another order.
    async fn react_again(&mut self) -> usize {
        let projector = self.dynamo.projector();
        for batch in self.told.iter().rev().chain(&self.told) {
            projector.apply(batch).await.unwrap();
            run_automation(&self.ports).await.unwrap();
        }
        self.runs().await
    }

    async fn runs(&self) -> usize {
        let page = PageRequest::first(100);
        let runs = self.dynamo.store.runs(&RunFilter::default(), &page).await;
        runs.unwrap().items.len()
    }
}

/// dagster-io/dagster#33587: an update of what an asset is made from lands beside the asset's own
/// materialization. It is lost in neither order, and nothing is requested twice.
#[tokio::test]
async fn an_update_beside_the_targets_own_materialization_is_not_lost() {
    for update_first in [true, false] {
        let mut scene = Scene::new().await;
        assert_eq!(scene.react().await, 0);
        scene.make("up", SystemClock.now()).await;
        assert_eq!(scene.react().await, 1);
        let began = SystemClock.now() + TimeDelta::milliseconds(1);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let order = match update_first {
            true => ["up", "down"],
            false => ["down", "up"],
        };
        for asset in order {
            let began = if asset == "down" {
                began
            } else {
                SystemClock.now()
            };
            scene.make(asset, began).await;
        }
        assert_eq!(scene.react().await, 2, "update first: {update_first}");
        assert_eq!(scene.react_again().await, 2, "update first: {update_first}");
        // What was requested is made, from all that is there.
        scene.make("down", SystemClock.now()).await;
        assert_eq!(scene.react().await, 2, "update first: {update_first}");
        assert_eq!(scene.react_again().await, 2, "update first: {update_first}");
    }
}

/// A process whose clock is behind publishes after an evaluation has seen what others did.
#[tokio::test]
async fn an_update_with_an_old_stamp_is_not_taken_for_seen() {
    #[derive(Debug)]
    struct Behind;
    impl Clock for Behind {
        fn now(&self) -> DateTime<Utc> {
            SystemClock.now() - TimeDelta::minutes(10)
        }
    }
    let mut scene = Scene::new().await;
    scene.react().await;
    scene.make("up", SystemClock.now()).await;
    assert_eq!(scene.react().await, 1);
    scene.make("down", SystemClock.now()).await;
    assert_eq!(scene.react().await, 1);
    let behind = scene.dynamo.store.clone().with_clock(Arc::new(Behind));
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
    behind.finish(vec![made]).await.unwrap();
    assert_eq!(scene.react().await, 2);
}
