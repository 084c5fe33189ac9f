//! The rules, on small machines and on generated ones.

mod generated;
mod maps;
mod rules;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use serde_json::{Value, json};

use super::{
    EventKind, ExecutionOutcome, ExecutionStatus, Faults, History, Limits, Ports, StepFunctions,
};
use crate::{
    bill::Bill,
    kernel::{Kernel, VirtualTime},
    task::{Functions, Objects, TaskError},
};

type Answer = Result<Value, TaskError>;
type Script = dyn Fn(&str, &Value) -> (Duration, Answer);

/// Functions that answer as a closure says, after as long as it says.
struct Scripted {
    script: Box<Script>,
    time: VirtualTime,
    running: Cell<usize>,
    most: Cell<usize>,
    calls: Cell<usize>,
    ended: Cell<usize>,
}

#[async_trait(?Send)]
impl Functions for Scripted {
    async fn call_function(&self, function: &str, payload: Value) -> Answer {
        self.calls.set(self.calls.get() + 1);
        self.running.set(self.running.get() + 1);
        self.most.set(self.most.get().max(self.running.get()));
        let (takes, answer) = (self.script)(function, &payload);
        self.time.sleep(takes).await;
        self.running.set(self.running.get() - 1);
        self.ended.set(self.ended.get() + 1);
        answer
    }
}

#[derive(Default)]
struct Bucket(RefCell<BTreeMap<String, Vec<u8>>>);

#[async_trait(?Send)]
impl Objects for Bucket {
    async fn read_object(&self, _: &str, key: &str) -> Result<Vec<u8>, TaskError> {
        let missing = || TaskError::new("S3.NoSuchKeyException", key);
        self.0.borrow().get(key).cloned().ok_or_else(missing)
    }

    async fn write_object(&self, _: &str, key: &str, content: Vec<u8>) -> Result<(), TaskError> {
        self.0.borrow_mut().insert(key.to_owned(), content);
        Ok(())
    }
}

/// Step Functions with scripted functions.
struct World {
    kernel: Kernel,
    service: StepFunctions,
    functions: Rc<Scripted>,
    objects: Rc<Bucket>,
    bill: Bill,
}

impl World {
    fn new(script: impl Fn(&str, &Value) -> (Duration, Answer) + 'static) -> Self {
        Self::with_limits(Limits::default(), Faults::default(), script)
    }

    fn with_limits(
        limits: Limits,
        faults: Faults,
        script: impl Fn(&str, &Value) -> (Duration, Answer) + 'static,
    ) -> Self {
        let kernel = Kernel::new(DateTime::UNIX_EPOCH);
        let functions = Rc::new(Scripted {
            script: Box::new(script),
            time: kernel.time(),
            running: Cell::default(),
            most: Cell::default(),
            calls: Cell::default(),
            ended: Cell::default(),
        });
        let (objects, bill) = (Rc::new(Bucket::default()), Bill::default());
        let ports = Ports {
            functions: functions.clone(),
            objects: objects.clone(),
            time: kernel.time(),
            tasks: kernel.tasks(),
            bill: bill.clone(),
        };
        Self {
            service: StepFunctions::with_limits(ports, limits, faults, 7, true),
            kernel,
            functions,
            objects,
            bill,
        }
    }

    fn create(&self, name: &str, definition: Value) -> String {
        let machine = serde_json::from_value(definition).unwrap();
        let none = BTreeMap::new();
        self.service.create_machine(name, &machine, &none).unwrap()
    }

    /// Runs a machine to its end and returns its outcome and history.
    fn run(&mut self, definition: Value, input: Value) -> (ExecutionOutcome, History) {
        let machine = self.create("m", definition);
        let arn = self.service.start_execution(&machine, None, input).unwrap();
        self.wait(&arn)
    }

    fn wait(&mut self, arn: &str) -> (ExecutionOutcome, History) {
        let outcome = self.kernel.run(self.service.wait_for_end(arn)).unwrap();
        (outcome, self.service.history(arn).unwrap())
    }

    fn redrive(&mut self, arn: &str) -> (ExecutionOutcome, History) {
        self.service.redrive_execution(arn).unwrap();
        self.wait(arn)
    }

    fn seconds(&self) -> f64 {
        self.kernel.time().elapsed().as_secs_f64()
    }
}

/// Returns the answer of a function that takes so many seconds.
fn after(seconds: u64, answer: Answer) -> (Duration, Answer) {
    (Duration::from_secs(seconds), answer)
}

fn failed(error: &str) -> Answer {
    Err(TaskError::new(error, "as scripted"))
}

/// Returns a machine of one task, with further fields.
fn task_machine(more: Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload": {"retry.$": "$$.State.RetryCount", "input.$": "$"}},
        "OutputPath": "$.Payload",
        "End": true,
    });
    let fields = task.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    json!({"StartAt": "T", "States": {"T": task}})
}

fn kinds(history: &History) -> Vec<EventKind> {
    history.events.iter().map(|event| event.kind).collect()
}

fn error_of(outcome: &ExecutionOutcome) -> &str {
    &outcome.error.as_ref().expect("an error").error
}
