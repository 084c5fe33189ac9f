//! [`StepFunctions`]: the service that machines are created in and executions started.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    rc::Rc,
    time::Duration,
};

use chrono::SecondsFormat;
use futures::{
    channel::oneshot,
    future::{AbortHandle, Abortable, Either, select},
};
use precip_asl::{
    compile::{BACKFILL, Machines},
    model::StateMachine,
};
use precip_engine::run::Clock;
use serde_json::Value;

use super::{
    execute::{Scope, Stop, run_flow},
    execution::{Cursor, Description, End, Execution, ExecutionOutcome, ExecutionStatus},
    history::{EventKind, History},
    limits::{Faults, Limits},
    path::ExecutionContext,
    program::{InvalidMachine, Program},
};
use crate::{
    bill::{Bill, Unit},
    kernel::{Tasks, VirtualTime},
    saturation::Saturation,
    task::{Functions, Objects, TaskError},
};

/// The ports of Step Functions.
#[derive(Clone)]
pub struct Ports {
    /// The functions that tasks call.
    pub functions: Rc<dyn Functions>,
    /// The objects that maps read and write.
    pub objects: Rc<dyn Objects>,
    /// The time.
    pub time: VirtualTime,
    /// Starts what runs beside the caller.
    pub tasks: Tasks,
    /// The units that AWS bills for.
    pub bill: Bill,
}

/// Step Functions in virtual time. Clones share the machines and executions.
///
/// ```
/// use std::{collections::BTreeMap, rc::Rc};
///
/// use async_trait::async_trait;
/// use chrono::DateTime;
/// use precip_simulator::{
///     bill::Bill,
///     kernel::Kernel,
///     step_functions::{ExecutionStatus, Ports, StepFunctions},
///     task::{Functions, Objects, TaskError},
/// };
/// use serde_json::{Value, json};
///
/// struct Nothing;
///
/// #[async_trait(?Send)]
/// impl Functions for Nothing {
///     async fn call_function(&self, _: &str, payload: Value) -> Result<Value, TaskError> {
///         Ok(payload)
///     }
/// }
///
/// #[async_trait(?Send)]
/// impl Objects for Nothing {
///     async fn read_object(&self, _: &str, _: &str) -> Result<Vec<u8>, TaskError> {
///         Ok(Vec::new())
///     }
///     async fn write_object(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), TaskError> {
///         Ok(())
///     }
/// }
///
/// let mut kernel = Kernel::new(DateTime::UNIX_EPOCH);
/// let service = StepFunctions::new(Ports {
///     functions: Rc::new(Nothing),
///     objects: Rc::new(Nothing),
///     time: kernel.time(),
///     tasks: kernel.tasks(),
///     bill: Bill::default(),
/// });
/// let definition = json!({
///     "StartAt": "Echo",
///     "States": {"Echo": {
///         "Type": "Task",
///         "Resource": "arn:aws:states:::lambda:invoke",
///         "Parameters": {"FunctionName": "${Echo}", "Payload.$": "$"},
///         "OutputPath": "$.Payload",
///         "End": true,
///     }},
/// });
/// let machine = serde_json::from_value(definition)?;
/// let arn = service.create_machine("echo", &machine, &BTreeMap::new())?;
/// let execution = service.start_execution(&arn, Some("first"), json!({"a": 1}))?;
/// let outcome = kernel.run(service.wait_for_end(&execution)).expect("an execution");
/// assert_eq!((outcome.status, outcome.output), (ExecutionStatus::Succeeded, Some(json!({"a": 1}))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct StepFunctions(pub(super) Rc<Inner>);

/// The shared state of the service.
pub(super) struct Inner {
    pub functions: Rc<dyn Functions>,
    pub objects: Rc<dyn Objects>,
    pub time: VirtualTime,
    pub tasks: Tasks,
    pub bill: Bill,
    pub limits: Limits,
    pub faults: Faults,
    pub records_history: bool,
    pub random: RefCell<fastrand::Rng>,
    pub child_histories: RefCell<Vec<(String, History)>>,
    pub saturations: Saturations,
    machines: RefCell<BTreeMap<String, Rc<Program>>>,
    executions: RefCell<BTreeMap<String, Rc<Execution>>>,
    number: Cell<u64>,
    /// The moments at which the next Express and the next Standard child may start.
    next_starts: Cell<[Duration; 2]>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepFunctions")
            .field("machines", &self.machines.borrow().keys())
            .field("executions", &self.executions.borrow().keys())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// Returns a number that was not returned before.
    pub(super) fn next_number(&self) -> u64 {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    /// Returns the moment at which the next child may start, and takes it.
    pub(super) fn next_start(&self, express: bool) -> Duration {
        let rate = if express {
            self.limits.express_starts_per_second
        } else {
            self.limits.standard_starts_per_second
        };
        let mut starts = self.next_starts.get();
        let next = &mut starts[usize::from(express)];
        let now = self.time.elapsed();
        let moment = (*next).max(now);
        // A child that waits is counted with the second it waits in; the first of a burst waits as well.
        if moment > now + Duration::from_secs(1) {
            self.saturations.child_starts.note_second(now);
        }
        *next = moment + Duration::from_secs_f64(1.0 / rate);
        self.next_starts.set(starts);
        moment
    }

    /// Draws whether an Express child runs twice.
    pub(super) fn is_doubled(&self) -> bool {
        let one_in = self.faults.doubled_child_one_in;
        one_in > 0 && self.random.borrow_mut().u32(0..one_in) == 0
    }

    pub(super) fn now_text(&self) -> String {
        self.time.now().to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// The times for which limits of Step Functions held back work.
#[derive(Debug, Clone, Default)]
pub struct Saturations {
    /// The concurrency of distributed maps, while rows are left.
    pub children: Saturation,
    /// The concurrency of inline maps, while items are left.
    pub iterations: Saturation,
    /// The rate at which children start.
    pub child_starts: Saturation,
}

/// The reason why an execution cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no such machine.
    #[error("State Machine Does Not Exist: '{0}'")]
    UnknownMachine(String),
    /// The name is taken, by an execution with another input or one that has ended.
    #[error("Execution Already Exists: '{0}'")]
    AlreadyExists(String),
    /// The name has characters that are not allowed, or more than 80.
    #[error("Invalid Name: '{0}'")]
    InvalidName(String),
    /// The input is larger than a state may have.
    #[error("the input is larger than {0} bytes")]
    TooLarge(usize),
}

impl StartError {
    /// Returns AWS's name of the error, as a task's retriers see it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownMachine(_) => "StepFunctions.StateMachineDoesNotExistException",
            Self::AlreadyExists(_) => "StepFunctions.ExecutionAlreadyExistsException",
            Self::InvalidName(_) => "StepFunctions.InvalidNameException",
            Self::TooLarge(_) => "StepFunctions.InvalidExecutionInputException",
        }
    }
}

/// There is no such execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Execution Does Not Exist: '{0}'")]
pub struct UnknownExecution(pub String);

/// The reason why an execution cannot be redriven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedriveError {
    /// There is no such execution.
    #[error(transparent)]
    Unknown(#[from] UnknownExecution),
    /// It is running or succeeded, ended too long ago, or its history is full.
    #[error("Execution is not redrivable: {0}")]
    NotRedrivable(&'static str),
}

/// The partition, region and account of the simulated ARNs.
const ARN: &str = "arn:aws:states:us-east-1:123456789012";

impl StepFunctions {
    /// Creates the service, with AWS's quotas and without faults.
    pub fn new(ports: Ports) -> Self {
        Self::with_limits(ports, Limits::default(), Faults::default(), 0, false)
    }

    /// Creates the service. Jitter and faults follow from the seed. Events are counted in any case, and
    /// recorded on demand.
    pub fn with_limits(
        ports: Ports,
        limits: Limits,
        faults: Faults,
        seed: u64,
        records_history: bool,
    ) -> Self {
        let Ports {
            functions,
            objects,
            time,
            tasks,
            bill,
        } = ports;
        Self(Rc::new(Inner {
            functions,
            objects,
            time,
            tasks,
            bill,
            limits,
            faults,
            records_history,
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            child_histories: RefCell::default(),
            saturations: Saturations::default(),
            machines: RefCell::default(),
            executions: RefCell::default(),
            number: Cell::default(),
            next_starts: Cell::default(),
        }))
    }

    /// Creates a machine, or gives an existing one a new definition, and returns its ARN. Placeholders
    /// `${..}` are replaced by their values.
    ///
    /// # Errors
    /// [`InvalidMachine`] when the definition is broken or uses something that is not known here.
    pub fn create_machine(
        &self,
        name: &str,
        definition: &StateMachine,
        substitutions: &BTreeMap<String, String>,
    ) -> Result<String, InvalidMachine> {
        let program = Program::compile(definition, substitutions)?;
        let arn = machine_arn(name);
        let mut machines = self.0.machines.borrow_mut();
        machines.insert(arn.clone(), Rc::new(program));
        Ok(arn)
    }

    /// Creates the two machines of a project, and returns the ARN of the one that people start. `values`
    /// are those of the other placeholders.
    ///
    /// # Errors
    /// [`InvalidMachine`], like [`create_machine`](Self::create_machine).
    pub fn create_machines(
        &self,
        machines: &Machines,
        mut values: BTreeMap<String, String>,
    ) -> Result<String, InvalidMachine> {
        let backfill = self.create_machine("backfill", &machines.backfill, &values)?;
        values.insert(BACKFILL.to_owned(), backfill);
        self.create_machine("run", &machines.run, &values)
    }

    /// Starts an execution and returns its ARN. The same name and input start a running execution once.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
    ///
    /// # Errors
    /// [`StartError`] when there is no such machine, or the name is invalid or taken.
    pub fn start_execution(
        &self,
        machine: &str,
        name: Option<&str>,
        input: Value,
    ) -> Result<String, StartError> {
        let inner = &self.0;
        let unknown = || StartError::UnknownMachine(machine.to_owned());
        let program = inner.machines.borrow().get(machine).cloned();
        let program = program.ok_or_else(unknown)?;
        let name = match name {
            Some(name) => name.to_owned(),
            None => format!("{:032x}", inner.random.borrow_mut().u128(..)),
        };
        let allowed = |letter: char| {
            !letter.is_control()
                && !letter.is_whitespace()
                && !"<>{}[]?*\"#%\\^|~`$&,;:/".contains(letter)
        };
        if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
            return Err(StartError::InvalidName(name));
        }
        let limit = inner.limits.payload_bytes;
        if serde_json::to_vec(&input).map_or(true, |bytes| bytes.len() > limit) {
            return Err(StartError::TooLarge(limit));
        }
        let machine_name = machine.rsplit(':').next().unwrap_or_default();
        let arn = execution_arn(machine_name, &name);
        let known = inner.executions.borrow().get(&arn).cloned();
        if let Some(known) = known {
            let end = known.end.borrow().clone();
            let taken = match end {
                None if *known.input == input => return Ok(arn),
                None => true,
                Some(end) => inner.time.elapsed() < end.elapsed + inner.limits.name_period,
            };
            if taken {
                return Err(StartError::AlreadyExists(arn));
            }
        }
        let input = Rc::new(input);
        let execution = Rc::new(Execution {
            arn: arn.clone(),
            name,
            machine: machine.to_owned(),
            root: Cursor::new(program.flow.start, Rc::clone(&input)),
            program,
            input,
            started_at: inner.time.now(),
            started: inner.time.elapsed(),
            history: Rc::new(RefCell::new(History::new(inner.records_history))),
            redrives: Cell::default(),
            end: RefCell::default(),
            abort: RefCell::default(),
            waiting: RefCell::default(),
        });
        let mut executions = inner.executions.borrow_mut();
        executions.insert(arn.clone(), Rc::clone(&execution));
        drop(executions);
        execution
            .history
            .borrow_mut()
            .add(EventKind::ExecutionStarted, None);
        inner.bill.add_one(Unit::StandardTransition);
        self.begin(execution, false);
        Ok(arn)
    }

    /// Starts an execution of a machine that was created by this name, and waits for its end.
    ///
    /// # Errors
    /// [`StartError`], like [`start_execution`](Self::start_execution).
    pub async fn run_execution(
        &self,
        machine: &str,
        name: Option<&str>,
        input: Value,
    ) -> Result<ExecutionOutcome, StartError> {
        let arn = self.start_execution(machine, name, input)?;
        let gone = || StartError::UnknownMachine(machine.to_owned());
        self.wait_for_end(&arn).await.ok_or_else(gone)
    }

    /// Waits for the end of an execution; `None` if there is no such execution.
    pub async fn wait_for_end(&self, arn: &str) -> Option<ExecutionOutcome> {
        let execution = self.find(arn)?;
        loop {
            let end = execution.end.borrow().clone();
            if let Some(end) = end {
                return Some(end.outcome);
            }
            let (send, receive) = oneshot::channel();
            execution.waiting.borrow_mut().push(send);
            // Dropped without an answer only with the kernel.
            receive.await.ok()?;
        }
    }

    /// Returns an execution.
    pub fn describe_execution(&self, arn: &str) -> Option<Description> {
        self.find(arn).map(|execution| execution.describe())
    }

    /// Returns the ARNs of all executions.
    pub fn list_executions(&self) -> Vec<String> {
        self.0.executions.borrow().keys().cloned().collect()
    }

    /// Returns the history of an execution.
    pub fn history(&self, arn: &str) -> Option<History> {
        self.find(arn)
            .map(|execution| execution.history.borrow().clone())
    }

    /// Returns how long the limits of Step Functions were reached.
    pub fn saturations(&self) -> &Saturations {
        &self.0.saturations
    }

    /// Returns the recorded histories of the children of distributed maps, with their ARNs, in the order
    /// in which they ended.
    pub fn child_histories(&self) -> Vec<(String, History)> {
        self.0.child_histories.borrow().clone()
    }

    /// Stops an execution. One that has ended stays as it is. Functions that it has called run on.
    ///
    /// # Errors
    /// [`UnknownExecution`] when there is none.
    pub fn stop_execution(&self, arn: &str, error: TaskError) -> Result<(), UnknownExecution> {
        let execution = self
            .find(arn)
            .ok_or_else(|| UnknownExecution(arn.to_owned()))?;
        if execution.end.borrow().is_some() {
            return Ok(());
        }
        if let Some(abort) = execution.abort.take() {
            abort.abort();
        }
        execution
            .history
            .borrow_mut()
            .add(EventKind::ExecutionAborted, None);
        self.end(&execution, ExecutionStatus::Aborted, Err(error));
        Ok(())
    }

    /// Redrives an execution that failed, timed out or was stopped: it continues from the states that did
    /// not succeed, with the definition that it was started with.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
    ///
    /// # Errors
    /// [`RedriveError`] when there is none, or it cannot be redriven.
    pub fn redrive_execution(&self, arn: &str) -> Result<(), RedriveError> {
        let execution = self
            .find(arn)
            .ok_or_else(|| UnknownExecution(arn.to_owned()))?;
        let end = execution.end.borrow().clone();
        let refuse = |reason| Err(RedriveError::NotRedrivable(reason));
        let Some(end) = end else {
            return refuse("it is running");
        };
        if end.outcome.status == ExecutionStatus::Succeeded {
            return refuse("it succeeded");
        }
        if self.0.time.elapsed() > end.elapsed + self.0.limits.redrive_period {
            return refuse("it ended more than 14 days ago");
        }
        if execution.history.borrow().count + 1 >= self.0.limits.history_events {
            return refuse("its history is full");
        }
        execution.end.take();
        execution.redrives.set(execution.redrives.get() + 1);
        execution
            .history
            .borrow_mut()
            .add(EventKind::ExecutionRedriven, None);
        self.0.bill.add_one(Unit::StandardTransition);
        self.begin(execution, true);
        Ok(())
    }

    fn find(&self, arn: &str) -> Option<Rc<Execution>> {
        self.0.executions.borrow().get(arn).cloned()
    }

    /// Runs an execution beside the caller.
    fn begin(&self, execution: Rc<Execution>, resumed: bool) {
        let service = self.clone();
        let (abort, registration) = AbortHandle::new_pair();
        *execution.abort.borrow_mut() = Some(abort);
        let own = Rc::clone(&execution);
        let course = async move {
            let scope = Scope {
                inner: Rc::clone(&service.0),
                execution: Rc::new(ExecutionContext {
                    id: own.arn.clone(),
                    name: own.name.clone(),
                    redrive: own.redrives.get(),
                    start: own.started_at.to_rfc3339_opts(SecondsFormat::Millis, true),
                    machine: own.machine.clone(),
                    input: Some(Rc::clone(&own.input)),
                }),
                history: Rc::clone(&own.history),
                express: false,
            };
            let flow = run_flow(&scope, &own.program.flow, &own.root, None, resumed);
            let ended = match own.program.timeout {
                None => Some(flow.await),
                Some(timeout) => {
                    let end = service.0.time.sleep_until(own.started + timeout);
                    match select(flow, end).await {
                        Either::Left((ended, _)) => Some(ended),
                        Either::Right(_) => None,
                    }
                }
            };
            let (event, status, result) = match ended {
                Some(Ok(output)) => (
                    EventKind::ExecutionSucceeded,
                    ExecutionStatus::Succeeded,
                    Ok((*output).clone()),
                ),
                Some(Err(stop)) => (
                    EventKind::ExecutionFailed,
                    ExecutionStatus::Failed,
                    Err(Stop::into_error(stop)),
                ),
                None => (
                    EventKind::ExecutionTimedOut,
                    ExecutionStatus::TimedOut,
                    Err(TaskError::new("States.Timeout", "the execution timed out")),
                ),
            };
            own.history.borrow_mut().add(event, None);
            service.end(&own, status, result);
        };
        let course = Abortable::new(course, registration);
        self.0.tasks.start(async move {
            // A stopped execution has ended already.
            let _ = course.await;
        });
    }

    fn end(
        &self,
        execution: &Execution,
        status: ExecutionStatus,
        result: Result<Value, TaskError>,
    ) {
        let (output, error) = match result {
            Ok(output) => (Some(output), None),
            Err(error) => (None, Some(error)),
        };
        execution.finish(End {
            outcome: ExecutionOutcome {
                status,
                output,
                error,
            },
            at: self.0.time.now(),
            elapsed: self.0.time.elapsed(),
        });
    }
}

/// Returns the ARN of a machine.
pub(crate) fn machine_arn(name: &str) -> String {
    format!("{ARN}:stateMachine:{name}")
}

/// Returns the ARN of an execution.
fn execution_arn(machine: &str, name: &str) -> String {
    format!("{ARN}:execution:{machine}:{name}")
}
