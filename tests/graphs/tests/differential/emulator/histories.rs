//! The histories of the simulated Step Functions are those of the emulator, event for event where the
//! emulator records them.
//!
//! It leaves out the [events of AWS alone](OF_AWS_ALONE), and of states inside branches and iterations it
//! records only the attempts of tasks. AWS documents all of them as events:
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use async_trait::async_trait;
use chrono::Utc;
use precip::{
    core::machine::Layout,
    engine::{
        machine::{MemoryFiles, StartInput},
        run::{SystemClock, SystemRandomness, new_run_id},
        run_id::RunId,
        state::{DynamicPartitionStore, memory::MemoryStore},
    },
    io::MemoryIoManager,
};
use precip_asl::compile::{CompileOptions, compile_machines};
use precip_graphs::{
    Trouble, component_groups, declare_project,
    deployment::{Deployment, run_tool},
    description::Project,
    random_project,
};
use precip_simulator::{
    bill::Bill,
    deployment::{Deployment as SimulatedDeployment, Handlers, Stores},
    kernel::Kernel,
    step_functions::{Event, EventKind, Faults, History, Limits},
    task::{Functions, TaskError},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{PROGRAM, await_execution};

/// How often each event is in a history: its kind, and the state that is entered or left.
type Events = BTreeMap<(String, Option<String>), usize>;

/// The kinds of events that the emulator never records.
const OF_AWS_ALONE: [EventKind; 9] = [
    EventKind::TaskStarted,
    EventKind::ParallelStateStarted,
    EventKind::ParallelStateSucceeded,
    EventKind::MapStateStarted,
    EventKind::MapStateSucceeded,
    EventKind::MapStateFailed,
    EventKind::MapIterationStarted,
    EventKind::MapIterationSucceeded,
    EventKind::MapIterationFailed,
];

#[derive(Debug, Deserialize)]
struct EmulatedHistories {
    own: Vec<(String, Option<String>)>,
    children: Vec<Vec<(String, Option<String>)>>,
}

/// The functions of a project where Lambda's settings cannot be read, as on the emulator.
struct OnEmulator(Rc<Handlers>);

#[async_trait(?Send)]
impl Functions for OnEmulator {
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError> {
        self.0.call_function(function, payload).await
    }

    fn account_settings(&self) -> Result<Value, TaskError> {
        // The emulator's own error has a name that no machine on AWS could catch.
        Err(TaskError::new("Lambda.LambdaException", "not implemented"))
    }
}

/// A run in virtual time, with the project's real functions over stores in memory.
struct Simulated {
    kernel: Kernel,
    deployment: SimulatedDeployment,
}

impl Simulated {
    fn new(project: &Project) -> Self {
        let definitions = Arc::new(declare_project(project.clone()).unwrap());
        let mut kernel = Kernel::new(Utc::now());
        let state = MemoryStore::new();
        for (set, keys) in project.dynamic_keys() {
            kernel.run(state.add_dynamic_keys(set, &keys)).unwrap();
        }
        let stores = Stores {
            state: Arc::new(state),
            files: Arc::new(MemoryFiles::default()),
            data: Arc::new(MemoryIoManager::new()),
        };
        let handlers = Rc::new(Handlers::new(Arc::clone(&definitions), stores, &kernel, 1));
        let deployment = SimulatedDeployment::new(
            &kernel,
            &definitions,
            (Rc::new(OnEmulator(Rc::clone(&handlers))), handlers),
            Bill::default(),
            (Limits::default(), Faults::default(), 1),
            true,
        );
        Self {
            deployment: deployment.unwrap(),
            kernel,
        }
    }

    /// Runs an input to its end and returns the history.
    fn run(&mut self, id: RunId, input: &StartInput) -> History {
        let service = &self.deployment.service;
        let input = serde_json::to_value(input).unwrap();
        let machine = &self.deployment.run_machine;
        let arn = service
            .start_execution(machine, Some(&id.to_string()), input)
            .unwrap();
        self.kernel.run(service.wait_for_end(&arn)).unwrap();
        service.history(&arn).unwrap()
    }
}

/// Counts events. The name of a state is in those of entering and leaving it.
fn count_events(events: impl IntoIterator<Item = (String, Option<String>)>) -> Events {
    let mut counts = Events::new();
    for (kind, state) in events {
        let named = kind.ends_with("StateEntered") || kind.ends_with("StateExited");
        let state = state.filter(|_| named);
        *counts.entry((kind, state)).or_default() += 1;
    }
    counts
}

/// Counts the events of a simulated history that the emulator records. `outer` are the states that are in
/// no branch or iteration.
fn simulated_events(history: &History, outer: &BTreeSet<String>) -> Events {
    let recorded = |event: &&Event| {
        let name = event.kind.name();
        let passes = name.ends_with("StateEntered") || name.ends_with("StateExited");
        let of_outer = event
            .state
            .as_ref()
            .is_some_and(|state| outer.contains(&**state));
        !OF_AWS_ALONE.contains(&event.kind) && (!passes || of_outer)
    };
    let events = history.events.iter().filter(recorded);
    count_events(events.map(|event| {
        (
            event.kind.name(),
            event.state.as_ref().map(ToString::to_string),
        )
    }))
}

/// Returns the states of a project's run machine that are in no branch or iteration.
fn outer_states(project: &Project) -> BTreeSet<String> {
    let definitions = declare_project(project.clone()).unwrap();
    let graph = definitions.graph();
    let layout = Layout::from_graph(graph).unwrap();
    let machines = compile_machines(graph, &layout, &CompileOptions::new("graphs")).unwrap();
    let names = machines.run.states.keys();
    names.map(|name| name.as_str().to_owned()).collect()
}

fn emulated_histories(arn: &str) -> EmulatedHistories {
    let printed = run_tool("landing.py", &["history", arn]);
    serde_json::from_slice(&printed.stdout).unwrap()
}

async fn compare_histories(stack: &str, seed: u64, trouble: Trouble) {
    let graphs = 6;
    let project = random_project(seed, graphs, trouble);
    let mut simulated = Simulated::new(&project);
    let outer = outer_states(&project);
    let deployment = Deployment::deploy(PROGRAM, stack, &project, &[]).await;
    for (set, keys) in project.dynamic_keys() {
        deployment.state.add_dynamic_keys(set, &keys).await.unwrap();
    }
    for partitions in ["all", "missing"] {
        for group in component_groups(graphs) {
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let input = StartInput {
                select: format!("group:{group}"),
                partitions: Some(partitions.to_owned()),
                ..StartInput::default()
            };
            deployment.start_run(id, &input).await;
            let ended = await_execution(&deployment, id).await;
            let emulated = emulated_histories(&ended.arn);
            assert!(emulated.children.is_empty(), "the run is small");
            let emulated = count_events(emulated.own);
            let history = simulated.run(id, &input);
            let own = simulated_events(&history, &outer);
            let differing: Vec<_> = own
                .keys()
                .chain(emulated.keys())
                .filter(|key| own.get(key) != emulated.get(key))
                .map(|key| (key, own.get(key), emulated.get(key)))
                .collect();
            assert!(
                differing.is_empty(),
                "seed {seed}, {partitions} of {group}: simulated, emulated: {differing:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_runs_leave_the_same_history() {
    compare_histories("histories", 11, Trouble::Failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_skip_leave_the_same_history() {
    compare_histories("histories-skipped", 12, Trouble::Skips).await;
}
