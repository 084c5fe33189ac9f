//! Executions: their status, and the position that a redrive continues from.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{channel::oneshot, future::AbortHandle};
pub use precip_engine::deployment::ExecutionStatus;
use serde_json::Value;

use super::{history::History, program::Program};
use crate::task::TaskError;

/// The end of an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionOutcome {
    /// The status.
    pub status: ExecutionStatus,
    /// The output of an execution that succeeded.
    pub output: Option<Value>,
    /// The error of one that did not.
    pub error: Option<TaskError>,
}

/// An execution, as `DescribeExecution` answers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The machine's ARN.
    pub machine: String,
    /// The status.
    pub status: ExecutionStatus,
    /// The input.
    pub input: Value,
    /// The output, if it succeeded.
    pub output: Option<Value>,
    /// The error, if it did not.
    pub error: Option<TaskError>,
    /// The start.
    pub started_at: DateTime<Utc>,
    /// The end.
    pub stopped_at: Option<DateTime<Utc>>,
    /// The number of redrives.
    pub redrives: u32,
}

/// An execution that was started.
#[derive(Debug)]
pub(super) struct Execution {
    pub arn: String,
    pub name: String,
    pub machine: String,
    /// A running execution keeps the definition that it was started with.
    pub program: Rc<Program>,
    pub input: Rc<Value>,
    pub started_at: DateTime<Utc>,
    pub started: Duration,
    pub history: Rc<RefCell<History>>,
    pub root: Rc<Cursor>,
    pub redrives: Cell<u32>,
    pub end: RefCell<Option<End>>,
    pub abort: RefCell<Option<AbortHandle>>,
    pub waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

/// The end of an execution.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub outcome: ExecutionOutcome,
    pub at: DateTime<Utc>,
    pub elapsed: Duration,
}

impl Execution {
    pub(super) fn status(&self) -> ExecutionStatus {
        let end = self.end.borrow();
        end.as_ref()
            .map_or(ExecutionStatus::Running, |end| end.outcome.status)
    }

    pub(super) fn describe(&self) -> Description {
        let end = self.end.borrow().clone();
        let (outcome, stopped_at) = match end {
            Some(end) => (Some(end.outcome), Some(end.at)),
            None => (None, None),
        };
        Description {
            arn: self.arn.clone(),
            name: self.name.clone(),
            machine: self.machine.clone(),
            status: self.status(),
            input: (*self.input).clone(),
            output: outcome.as_ref().and_then(|end| end.output.clone()),
            error: outcome.and_then(|end| end.error),
            started_at: self.started_at,
            stopped_at,
            redrives: self.redrives.get(),
        }
    }

    pub(super) fn finish(&self, end: End) {
        *self.end.borrow_mut() = Some(end);
        for waiting in self.waiting.take() {
            // The task that waited may be gone.
            let _ = waiting.send(());
        }
    }
}

/// The position of a flow. It outlives the flow's future, so that a redrive continues from it.
#[derive(Debug)]
pub(super) struct Cursor(pub RefCell<Position>);

/// Where a flow is.
#[derive(Debug, Clone)]
pub(super) enum Position {
    /// In a state, with the state's input. A state with branches or iterations has a cursor for each that
    /// has begun.
    In {
        state: usize,
        data: Rc<Value>,
        inner: Vec<Option<Rc<Cursor>>>,
    },
    /// At its end, with its output.
    Ended(Rc<Value>),
}

impl Cursor {
    pub(super) fn new(state: usize, data: Rc<Value>) -> Rc<Self> {
        Rc::new(Self(RefCell::new(Position::In {
            state,
            data,
            inner: Vec::new(),
        })))
    }

    /// Returns the output of a flow that has ended.
    pub(super) fn output(&self) -> Option<Rc<Value>> {
        match &*self.0.borrow() {
            Position::Ended(output) => Some(Rc::clone(output)),
            Position::In { .. } => None,
        }
    }

    pub(super) fn move_to(&self, state: usize, data: Rc<Value>) {
        *self.0.borrow_mut() = Position::In {
            state,
            data,
            inner: Vec::new(),
        };
    }

    /// Returns the inner cursor of this number, which is made if there is none.
    pub(super) fn inner(&self, number: usize, make: impl FnOnce() -> Rc<Self>) -> Rc<Self> {
        let mut position = self.0.borrow_mut();
        let Position::In { inner, .. } = &mut *position else {
            return make();
        };
        if inner.len() <= number {
            inner.resize(number + 1, None);
        }
        Rc::clone(inner[number].get_or_insert_with(make))
    }

    /// Returns the inner cursor of this number, if that branch or iteration has begun.
    pub(super) fn known_inner(&self, number: usize) -> Option<Rc<Self>> {
        match &*self.0.borrow() {
            Position::In { inner, .. } => inner.get(number).cloned().flatten(),
            Position::Ended(_) => None,
        }
    }

    /// Returns the input of the current state, or the output of a flow that has ended.
    pub(super) fn data(&self) -> Rc<Value> {
        match &*self.0.borrow() {
            Position::In { data, .. } => Rc::clone(data),
            Position::Ended(output) => Rc::clone(output),
        }
    }

    /// Returns true if branches or iterations of the current state have begun.
    pub(super) fn has_inner(&self) -> bool {
        matches!(&*self.0.borrow(), Position::In { inner, .. } if !inner.is_empty())
    }

    /// Forgets the branches or iterations of the current state, which is retried.
    pub(super) fn clear_inner(&self) {
        if let Position::In { inner, .. } = &mut *self.0.borrow_mut() {
            inner.clear();
        }
    }
}
