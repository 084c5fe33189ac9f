//! Sensors whose runs are launched on Step Functions.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::join_all;
use precip_core::{
    spec::{AssetSpec, OpSpec},
    trigger::{
        Bucket, DefaultStatus, ObjectEvent, ObjectFilter, ObjectSensor, SensorSource, SensorSpec,
    },
};
use precip_engine::{
    asset::{FnBody, Resources},
    definitions::{Definitions, OpDefinition},
    machine::StartInput,
    run::{SystemClock, SystemRandomness},
    state::{PageRequest, Run, RunFilter, RunStatus, RunStore, StateStore},
    trigger::{
        ObjectOptions, RunLauncher, SensorDefinition, TriggerError, TriggerPorts, evaluate_objects,
    },
};

use super::{FAIL, PASS, WAIT, aws, machine, new_name};
use crate::{
    launch::{MachineArn, SfnExecutions, SfnLauncher},
    state::dynamo::{
        DynamoStore, TableDefinition,
        harness::{Awake, nothing},
    },
};

/// A process that is gone before it launches anything.
struct Gone;

#[async_trait]
impl RunLauncher for Gone {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Err("killed".to_owned())
    }
}

/// Makes `report` of any file.
fn sensor() -> SensorDefinition {
    SensorDefinition::new(SensorSpec {
        name: "landing".parse().unwrap(),
        source: SensorSource::Objects(ObjectSensor {
            bucket: Bucket::Named("bucket".to_owned()),
            filter: ObjectFilter::Key("in/report.csv".parse().unwrap()),
            min_size: 0,
            deletes: false,
        }),
        target: Some("report".parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    })
}

fn events() -> Vec<ObjectEvent> {
    let at = "2024-01-31T06:00:00Z".parse().unwrap();
    vec![ObjectEvent::created("bucket", "in/report.csv", at)]
}

struct World {
    ports: TriggerPorts,
    store: DynamoStore,
    executions: SfnExecutions,
    machine: MachineArn,
}

impl World {
    async fn new(definition: &str) -> Self {
        let client = aws().await.dynamodb();
        let table = format!("precip-{}", new_name());
        let create = TableDefinition::PRECIP.create(&client, &table);
        create.await.unwrap();
        let store = DynamoStore::new(client, table);
        let (executions, machine) = machine(definition, PASS).await;
        let report = AssetSpec::new("report".parse().unwrap());
        let report = OpDefinition::new(OpSpec::single(report), FnBody(nothing));
        let definitions = Definitions::builder().op(report).build().unwrap();
        let ports = TriggerPorts {
            definitions: Arc::new(definitions),
            state: Arc::new(store.clone()),
            clock: Arc::new(SystemClock),
            sleeper: Arc::new(Awake),
            randomness: Arc::new(SystemRandomness),
            launcher: Arc::new(Gone),
            resources: Arc::new(Resources::new()),
            environment: "prod".to_owned(),
        };
        Self {
            ports,
            store,
            executions,
            machine,
        }
    }

    /// Another process, which launches what it finds.
    fn ports(&self) -> TriggerPorts {
        let state: Arc<dyn StateStore> = Arc::new(self.store.clone());
        let clock = Arc::new(SystemClock);
        TriggerPorts {
            launcher: Arc::new(SfnLauncher::new(self.executions.clone(), state, clock)),
            ..self.ports.clone()
        }
    }

    async fn evaluate(&self, ports: &TriggerPorts) -> Result<(), TriggerError> {
        let options = ObjectOptions::default();
        let outcome = evaluate_objects(ports, &sensor(), &events(), options).await;
        outcome.map(drop)
    }

    async fn only_run(&self) -> Run {
        let page = PageRequest::first(10);
        let runs = self.store.runs(&RunFilter::default(), &page).await.unwrap();
        assert_eq!(runs.items.len(), 1, "{runs:?}");
        runs.items.into_iter().next().unwrap()
    }

    /// What each execution was started with, by name.
    async fn executions(&self) -> Vec<(String, StartInput)> {
        let client = aws().await.step_functions();
        let list = client
            .list_executions()
            .state_machine_arn(self.machine.to_string());
        let mut started = Vec::new();
        for execution in list.send().await.unwrap().executions {
            let arn = execution.execution_arn;
            let found = client.describe_execution().execution_arn(arn).send().await;
            let found = found.unwrap();
            let input: serde_json::Value = serde_json::from_str(&found.input.unwrap()).unwrap();
            started.push((found.name.unwrap(), StartInput::read(&input).unwrap()));
        }
        started
    }
}

#[tokio::test]
async fn what_was_requested_and_not_launched_the_next_evaluation_launches() {
    let world = World::new(WAIT).await;
    let error = world.evaluate(&world.ports).await.unwrap_err();
    assert!(matches!(error, TriggerError::Launch { .. }), "{error}");
    let run = world.only_run().await;
    assert_eq!(run.status, RunStatus::Queued);
    assert!(world.executions().await.is_empty());

    // The event comes again.
    world.evaluate(&world.ports()).await.unwrap();
    let one = [(run.id.to_string(), StartInput::carry_out(run.id))];
    assert_eq!(world.executions().await, one);
    // And again: the planner has not taken the run up by then.
    world.evaluate(&world.ports()).await.unwrap();
    assert_eq!(world.executions().await, one);
    assert_eq!(world.only_run().await.status, RunStatus::Queued);
}

#[tokio::test]
async fn evaluations_side_by_side_start_one_execution() {
    let world = World::new(WAIT).await;
    let ports: Vec<TriggerPorts> = (0..12).map(|_| world.ports()).collect();
    let evaluations = ports.iter().map(|ports| world.evaluate(ports));
    for done in join_all(evaluations).await {
        done.unwrap();
    }
    let run = world.only_run().await;
    let launcher = world.ports().launcher;
    for launched in join_all((0..12).map(|_| launcher.launch(&run))).await {
        launched.unwrap();
    }
    let names: BTreeSet<String> = world
        .executions()
        .await
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(names, BTreeSet::from([run.id.to_string()]));
}

#[tokio::test]
async fn a_run_whose_execution_came_to_nothing_is_not_queued_for_ever() {
    let world = World::new(FAIL).await;
    world.evaluate(&world.ports()).await.unwrap();
    // Nobody was told that the execution failed.
    for _ in 0..100 {
        world.evaluate(&world.ports()).await.unwrap();
        let run = world.only_run().await;
        if run.status == RunStatus::Failed {
            assert_eq!(run.message.as_deref(), Some("there is no asset `x`"));
            assert_eq!(world.executions().await.len(), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it is queued for ever");
}

#[tokio::test]
async fn a_machine_that_is_not_there_leaves_the_run_queued() {
    let world = World::new(PASS).await;
    let nowhere = "arn:aws:states:us-east-1:000000000000:stateMachine:nowhere";
    let client = aws().await.step_functions();
    let executions = SfnExecutions::new(client, nowhere.parse().unwrap());
    let state: Arc<dyn StateStore> = Arc::new(world.store.clone());
    let ports = TriggerPorts {
        launcher: Arc::new(SfnLauncher::new(executions, state, Arc::new(SystemClock))),
        ..world.ports.clone()
    };
    let error = world.evaluate(&ports).await.unwrap_err().to_string();
    assert!(error.contains("there is no state machine"), "{error}");
    assert_eq!(world.only_run().await.status, RunStatus::Queued);
}
