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

use super::{FAIL, PASS, WAIT, create_machines, new_name};
use crate::{
    launch::{MachineArn, SfnExecutions, SfnLauncher},
    state::dynamo::{
        DynamoStore, TableDefinition,
        harness::{RealTimeSleeper, empty_op, emulator_aws},
    },
};

/// The launcher of a process that is killed before it launches anything.
struct KilledLauncher;

#[async_trait]
impl RunLauncher for KilledLauncher {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Err("killed".to_owned())
    }
}

/// A sensor that requests `report` for any file.
fn landing_sensor() -> SensorDefinition {
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

fn report_events() -> Vec<ObjectEvent> {
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
        let client = emulator_aws().await.dynamodb();
        let table = format!("precip-{}", new_name());
        let create = TableDefinition::PRECIP.create_table(&client, &table);
        create.await.unwrap();
        let store = DynamoStore::new(client, table);
        let (executions, machine) = create_machines(definition, PASS).await;
        let report = AssetSpec::new("report".parse().unwrap());
        let report = OpDefinition::new(OpSpec::single(report), FnBody(empty_op));
        let definitions = Definitions::builder().op(report).build().unwrap();
        let ports = TriggerPorts {
            definitions: Arc::new(definitions),
            state: Arc::new(store.clone()),
            clock: Arc::new(SystemClock),
            sleeper: Arc::new(RealTimeSleeper),
            randomness: Arc::new(SystemRandomness),
            launcher: Arc::new(KilledLauncher),
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

    /// Returns the ports of another process, which launches on Step Functions.
    fn launching_ports(&self) -> TriggerPorts {
        let state: Arc<dyn StateStore> = Arc::new(self.store.clone());
        let clock = Arc::new(SystemClock);
        TriggerPorts {
            launcher: Arc::new(SfnLauncher::new(self.executions.clone(), state, clock)),
            ..self.ports.clone()
        }
    }

    async fn evaluate_sensor(&self, ports: &TriggerPorts) -> Result<(), TriggerError> {
        let options = ObjectOptions::default();
        let outcome = evaluate_objects(ports, &landing_sensor(), &report_events(), options).await;
        outcome.map(drop)
    }

    async fn only_run(&self) -> Run {
        let page = PageRequest::first(10);
        let runs = self
            .store
            .list_runs(&RunFilter::default(), &page)
            .await
            .unwrap();
        assert_eq!(runs.items.len(), 1, "{runs:?}");
        runs.items.into_iter().next().unwrap()
    }

    /// Returns the name and the input of each execution.
    async fn list_executions(&self) -> Vec<(String, StartInput)> {
        let client = emulator_aws().await.step_functions();
        let list = client
            .list_executions()
            .state_machine_arn(self.machine.to_string());
        let mut started = Vec::new();
        for execution in list.send().await.unwrap().executions {
            let arn = execution.execution_arn;
            let describe = client.describe_execution().execution_arn(arn);
            let found = describe.send().await.unwrap();
            let input: serde_json::Value = serde_json::from_str(&found.input.unwrap()).unwrap();
            started.push((found.name.unwrap(), StartInput::from_json(&input).unwrap()));
        }
        started
    }
}

#[tokio::test]
async fn the_next_evaluation_launches_a_requested_run() {
    let world = World::new(WAIT).await;
    let error = world.evaluate_sensor(&world.ports).await.unwrap_err();
    // The process is killed after recording the run, before launching it.
    assert!(matches!(error, TriggerError::Launch { .. }), "{error}");
    let run = world.only_run().await;
    assert_eq!(run.status, RunStatus::Queued);
    assert!(world.list_executions().await.is_empty());

    // The event is delivered again.
    world
        .evaluate_sensor(&world.launching_ports())
        .await
        .unwrap();
    let one = [(run.id.to_string(), StartInput::queued_run(run.id))];
    assert_eq!(world.list_executions().await, one);
    // And a third time: the planner has not begun the run yet.
    world
        .evaluate_sensor(&world.launching_ports())
        .await
        .unwrap();
    assert_eq!(world.list_executions().await, one);
    assert_eq!(world.only_run().await.status, RunStatus::Queued);
}

#[tokio::test]
async fn concurrent_evaluations_start_one_execution() {
    let world = World::new(WAIT).await;
    let ports: Vec<TriggerPorts> = (0..12).map(|_| world.launching_ports()).collect();
    let evaluations = ports.iter().map(|ports| world.evaluate_sensor(ports));
    for done in join_all(evaluations).await {
        done.unwrap();
    }
    let run = world.only_run().await;
    let launcher = world.launching_ports().launcher;
    // Launching a run that is launched already changes nothing.
    for launched in join_all((0..12).map(|_| launcher.launch(&run))).await {
        launched.unwrap();
    }
    let names: BTreeSet<String> = world
        .list_executions()
        .await
        .into_iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(names, BTreeSet::from([run.id.to_string()]));
}

#[tokio::test]
async fn a_run_whose_execution_failed_does_not_stay_queued() {
    let world = World::new(FAIL).await;
    world
        .evaluate_sensor(&world.launching_ports())
        .await
        .unwrap();
    // The failure of the execution is not reported; later evaluations find it.
    for _ in 0..100 {
        world
            .evaluate_sensor(&world.launching_ports())
            .await
            .unwrap();
        let run = world.only_run().await;
        if run.status == RunStatus::Failed {
            assert_eq!(run.message.as_deref(), Some("there is no asset `x`"));
            assert_eq!(world.list_executions().await.len(), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run stays queued");
}

#[tokio::test]
async fn a_missing_machine_leaves_the_run_queued() {
    let world = World::new(PASS).await;
    let nowhere = "arn:aws:states:us-east-1:000000000000:stateMachine:nowhere";
    let client = emulator_aws().await.step_functions();
    let executions = SfnExecutions::new(client, nowhere.parse().unwrap());
    let state: Arc<dyn StateStore> = Arc::new(world.store.clone());
    let ports = TriggerPorts {
        launcher: Arc::new(SfnLauncher::new(executions, state, Arc::new(SystemClock))),
        ..world.ports.clone()
    };
    let error = world.evaluate_sensor(&ports).await.unwrap_err().to_string();
    // The error names the machine, and the next evaluation may launch the run.
    assert!(error.contains("there is no state machine"), "{error}");
    assert_eq!(world.only_run().await.status, RunStatus::Queued);
}
