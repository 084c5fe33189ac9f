//! A deployed project: its real planner and materializers as functions, and its run files as objects.

use std::{
    collections::BTreeMap,
    fmt,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use precip_asl::compile::{BUCKET, CompileError, CompileOptions, PLANNER, compile_machines};
use precip_core::{machine::Layout, plan::PlanError};
use precip_engine::{
    definitions::Definitions,
    io::IoManager,
    machine::{Deadline, MaterializeRequest, Materializer, Planner, PlannerRequest, RunFiles},
    run::{InlineOpRunner, Randomness, RunPorts},
    state::StateStore,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    bill::Bill,
    kernel::Kernel,
    step_functions::{Faults, InvalidMachine, Limits, Ports, StepFunctions},
    task::{Functions, Objects, TaskError},
};

/// The time of an invocation of a materializer, whose function has no timeout here.
const INVOCATION: Duration = Duration::from_secs(900);

/// The stores of a deployment.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "IO managers have none")]
pub struct Stores {
    /// The record.
    pub state: Arc<dyn StateStore>,
    /// The files of runs: plans and manifests.
    pub files: Arc<dyn RunFiles>,
    /// The data of assets without an IO manager of their own.
    pub data: Arc<dyn IoManager>,
}

/// The functions of a project, called as Lambda calls them, and its bucket.
///
/// Every call makes its function anew, so that nothing but the stores outlives it.
#[derive(Clone)]
pub struct Handlers {
    definitions: Arc<Definitions>,
    stores: Stores,
    time: crate::kernel::VirtualTime,
    randomness: Arc<dyn Randomness>,
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers")
            .field("state", &self.stores.state)
            .finish_non_exhaustive()
    }
}

impl Handlers {
    /// Creates the functions. Their randomness follows from the seed, and their time is the kernel's.
    pub fn new(definitions: Arc<Definitions>, stores: Stores, kernel: &Kernel, seed: u64) -> Self {
        Self {
            definitions,
            stores,
            time: kernel.time(),
            randomness: Arc::new(SeededRandomness(Mutex::new(fastrand::Rng::with_seed(seed)))),
        }
    }

    async fn call_planner(&self, payload: Value) -> Result<Value, TaskError> {
        let request: PlannerRequest = read_request(payload)?;
        let planner = Planner::new(
            Arc::clone(&self.definitions),
            Arc::clone(&self.stores.state),
            Arc::clone(&self.stores.files),
            Arc::new(self.time.clone()),
            Arc::clone(&self.randomness),
        );
        let planner = planner.map_err(|error| broken_function(&error))?;
        let answer = planner.handle_request(request).await;
        let answer = answer.map_err(|error| function_error(error.name(), &error))?;
        write_answer(&answer)
    }

    async fn call_materializer(&self, payload: Value) -> Result<Value, TaskError> {
        let request: MaterializeRequest = read_request(payload)?;
        let ports = RunPorts {
            clock: Arc::new(self.time.clone()),
            randomness: Arc::clone(&self.randomness),
            ..RunPorts::system(
                Arc::clone(&self.stores.state),
                Arc::new(self.time.clone()),
                Arc::new(InlineOpRunner),
            )
        };
        let materializer = Materializer::new(
            Arc::clone(&self.definitions),
            ports,
            Arc::clone(&self.stores.files),
            self.definitions.environments()[0].clone(),
            Arc::new(BTreeMap::new()),
            Arc::clone(&self.stores.data),
        );
        let materializer = materializer.map_err(|error| broken_function(&error))?;
        let answer = materializer.run_step(&request, Deadline(INVOCATION)).await;
        let answer = answer.map_err(|error| function_error(error.name(), &error))?;
        write_answer(&answer)
    }
}

fn read_request<T: DeserializeOwned>(payload: Value) -> Result<T, TaskError> {
    serde_json::from_value(payload).map_err(|error| function_error("Precip.BadInput", &error))
}

fn write_answer(answer: &impl Serialize) -> Result<Value, TaskError> {
    serde_json::to_value(answer).map_err(|error| function_error("Runtime.MarshalError", &error))
}

/// Returns the error of a function, as Lambda passes it on.
fn function_error(name: &str, error: &dyn fmt::Display) -> TaskError {
    let cause = json!({"errorType": name, "errorMessage": error.to_string()});
    TaskError::new(name, cause.to_string())
}

fn broken_function(error: &PlanError) -> TaskError {
    function_error("Runtime.ExitError", error)
}

#[async_trait(?Send)]
impl Functions for Handlers {
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError> {
        match function {
            PLANNER => self.call_planner(payload).await,
            _ => self.call_materializer(payload).await,
        }
    }
}

#[async_trait(?Send)]
impl Objects for Handlers {
    async fn read_object(&self, _: &str, key: &str) -> Result<Vec<u8>, TaskError> {
        let read = self.stores.files.read_file(key).await;
        let content = read.map_err(|error| TaskError::new("S3.S3Exception", error.to_string()))?;
        content.ok_or_else(|| TaskError::new("S3.NoSuchKeyException", key))
    }

    async fn write_object(&self, _: &str, key: &str, content: Vec<u8>) -> Result<(), TaskError> {
        let written = self.stores.files.write_file(key, content).await;
        written.map_err(|error| TaskError::new("S3.S3Exception", error.to_string()))
    }
}

/// A project on Step Functions.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The service.
    pub service: StepFunctions,
    /// The ARN of the machine that people start.
    pub run_machine: String,
}

/// The reason why a project cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The project's stages cannot be laid out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The machines cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Step Functions refuses a machine.
    #[error(transparent)]
    Machine(#[from] InvalidMachine),
}

impl Deployment {
    /// Deploys the generated machines of a project, over functions and objects.
    ///
    /// # Errors
    /// [`DeployError`] when the project has no valid machines.
    pub fn new(
        kernel: &Kernel,
        definitions: &Definitions,
        (functions, objects): (Rc<dyn Functions>, Rc<dyn Objects>),
        bill: Bill,
        (limits, faults, seed): (Limits, Faults, u64),
        records_history: bool,
    ) -> Result<Self, DeployError> {
        let graph = definitions.graph();
        let layout = Layout::from_graph(graph)?;
        let machines = compile_machines(graph, &layout, &CompileOptions::new("simulated"))?;
        let ports = Ports {
            functions,
            objects,
            time: kernel.time(),
            tasks: kernel.tasks(),
            bill,
        };
        let service = StepFunctions::with_limits(ports, limits, faults, seed, records_history);
        let values = BTreeMap::from([(BUCKET.to_owned(), "simulated".to_owned())]);
        let run_machine = service.create_machines(&machines, values)?;
        Ok(Self {
            service,
            run_machine,
        })
    }
}

/// Random bits from a seed.
#[derive(Debug)]
struct SeededRandomness(Mutex<fastrand::Rng>);

impl Randomness for SeededRandomness {
    fn random_bits(&self) -> u128 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .u128(..)
    }
}
