//! The history of an execution.

use std::rc::Rc;

/// The kind of an event, by AWS's name.
///
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are AWS's")]
pub enum EventKind {
    ExecutionStarted,
    ExecutionSucceeded,
    ExecutionFailed,
    ExecutionAborted,
    ExecutionTimedOut,
    ExecutionRedriven,
    TaskStateEntered,
    TaskScheduled,
    TaskStarted,
    TaskSubmitted,
    TaskSucceeded,
    TaskFailed,
    TaskTimedOut,
    TaskStateExited,
    ChoiceStateEntered,
    ChoiceStateExited,
    PassStateEntered,
    PassStateExited,
    WaitStateEntered,
    WaitStateExited,
    SucceedStateEntered,
    SucceedStateExited,
    FailStateEntered,
    ParallelStateEntered,
    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
    ParallelStateExited,
    MapStateEntered,
    MapStateStarted,
    MapStateSucceeded,
    MapStateFailed,
    MapStateExited,
    MapIterationStarted,
    MapIterationSucceeded,
    MapIterationFailed,
    MapRunStarted,
    MapRunSucceeded,
    MapRunFailed,
    MapRunRedriven,
}

impl EventKind {
    /// Returns AWS's name of the kind.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// The state that it belongs to; none for events of the execution itself.
    pub state: Option<Rc<str>>,
}

/// The history of an execution: the number of its events and, if they are recorded, the events.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The number of events.
    pub count: u64,
    /// The events, in order; empty if they are not recorded.
    pub events: Vec<Event>,
    pub(super) recorded: bool,
}

impl History {
    pub(super) fn new(recorded: bool) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, kind: EventKind, state: Option<&Rc<str>>) {
        self.count += 1;
        if self.recorded {
            let state = state.cloned();
            self.events.push(Event { kind, state });
        }
    }
}
