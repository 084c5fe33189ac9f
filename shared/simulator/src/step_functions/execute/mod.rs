//! The course of a flow: its states are entered one after the other.

mod distributed;
mod inline;
mod task;

use std::{cell::RefCell, rc::Rc};

use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::{
    execution::{Cursor, Position},
    history::{EventKind, History},
    path::{Context, ExecutionContext},
    program::{Catcher, Compiled, Ends, Flow, Kind, Output, Place, Work},
    retry::{Attempts, matches_error},
    service::Inner,
    template::Template,
};
use crate::{bill::Unit, task::TaskError};

/// The reason why a flow ends early.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// A state failed, and nothing caught its error.
    Failed(TaskError),
    /// The execution as a whole ends: no state can catch it.
    Fatal(TaskError),
}

impl Stop {
    pub(super) fn into_error(self) -> TaskError {
        match self {
            Self::Failed(error) | Self::Fatal(error) => error,
        }
    }
}

impl From<TaskError> for Stop {
    fn from(error: TaskError) -> Self {
        Self::Failed(error)
    }
}

/// The execution that a flow is part of: its history, and what its states share.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub inner: Rc<Inner>,
    pub execution: Rc<ExecutionContext>,
    pub history: Rc<RefCell<History>>,
    /// An Express execution has no limit of its history, and pays for its time.
    pub express: bool,
}

/// The state that follows, or the end of the flow.
enum Next {
    State(usize, Rc<Value>),
    End(Rc<Value>),
}

impl Scope {
    /// Adds an event to the history.
    ///
    /// # Errors
    /// [`Stop::Fatal`] when the history of a Standard execution is full. The last event is the failure.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/bp-history-limit.html>
    fn add(&self, kind: EventKind, state: Option<&Rc<str>>) -> Result<(), Stop> {
        let mut history = self.history.borrow_mut();
        if !self.express && history.count + 1 >= self.inner.limits.history_events {
            return Err(Stop::Fatal(TaskError::new(
                "States.Runtime",
                format!(
                    "The execution reached the maximum number of history events ({})",
                    self.inner.limits.history_events
                ),
            )));
        }
        history.add(kind, state);
        Ok(())
    }

    /// Counts a transition: a state that is entered, or a retry. Express executions pay by time.
    fn count_transition(&self) {
        if !self.express {
            self.inner.bill.add_one(Unit::StandardTransition);
        }
    }

    async fn enter(&self, state: &Compiled) -> Result<(), Stop> {
        let limits = &self.inner.limits;
        let takes = if self.express {
            limits.express_transition
        } else {
            limits.standard_transition
        };
        if !takes.is_zero() {
            self.inner.time.sleep(takes).await;
        }
        self.count_transition();
        self.add(state.kind.events().0, Some(&state.name))
    }

    fn leave(&self, state: &Compiled) -> Result<(), Stop> {
        self.add(state.kind.events().1, Some(&state.name))
    }

    fn context(&self, item: &Item) -> Context {
        Context {
            execution: Rc::clone(&self.execution),
            retries: 0,
            item: item.clone(),
        }
    }

    /// Refuses data that is larger than a state may have.
    fn check_size(&self, value: &Value) -> Result<(), TaskError> {
        let limit = self.inner.limits.payload_bytes;
        let mut left = limit;
        if count_bytes(value, &mut left) {
            return Ok(());
        }
        Err(TaskError::new(
            "States.DataLimitExceeded",
            format!("The data exceeds the maximum of {limit} bytes"),
        ))
    }
}

/// The item of the innermost map, and its index.
pub(super) type Item = Option<(usize, Rc<Value>)>;

/// Subtracts the approximate length of a value as JSON. Returns false when it is longer than what is
/// left.
fn count_bytes(value: &Value, left: &mut usize) -> bool {
    let own = match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(number) => number
            .as_u64()
            .map_or(8, |n| n.checked_ilog10().unwrap_or(0) as usize + 1),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.len() + 1,
        Value::Object(fields) => fields.keys().map(|key| key.len() + 4).sum::<usize>() + 1,
    };
    let Some(rest) = left.checked_sub(own) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| count_bytes(item, left)),
        Value::Object(fields) => fields.values().all(|field| count_bytes(field, left)),
        _ => true,
    }
}

/// Runs a flow from its cursor to its end. With `resumed` the first state was entered before.
pub(super) fn run_flow<'a>(
    scope: &'a Scope,
    flow: &'a Flow,
    cursor: &'a Rc<Cursor>,
    item: Item,
    mut resumed: bool,
) -> LocalBoxFuture<'a, Result<Rc<Value>, Stop>> {
    Box::pin(async move {
        loop {
            let (at, data) = match &*cursor.0.borrow() {
                Position::Ended(output) => return Ok(Rc::clone(output)),
                Position::In { state, data, .. } => (*state, Rc::clone(data)),
            };
            let state = &flow.states[at];
            if !std::mem::take(&mut resumed) {
                scope.enter(state).await?;
            }
            match run_state(scope, state, cursor, &data, &item).await? {
                Next::State(next, data) => {
                    scope.leave(state)?;
                    cursor.move_to(next, data);
                }
                Next::End(output) => {
                    scope.leave(state)?;
                    *cursor.0.borrow_mut() = Position::Ended(Rc::clone(&output));
                    return Ok(output);
                }
            }
        }
    })
}

async fn run_state(
    scope: &Scope,
    state: &Compiled,
    cursor: &Rc<Cursor>,
    data: &Rc<Value>,
    item: &Item,
) -> Result<Next, Stop> {
    let mut context = scope.context(item);
    match &state.kind {
        Kind::Choice(rules, default) => {
            for (condition, next) in rules {
                if condition.holds(data, &context)? {
                    return Ok(Next::State(*next, Rc::clone(data)));
                }
            }
            match default {
                Some(next) => Ok(Next::State(*next, Rc::clone(data))),
                None => Err(TaskError::new("States.NoChoiceMatched", "no rule holds").into()),
            }
        }
        Kind::Pass(pass) => {
            let value = match &pass.value {
                Some(template) => template.fill(data, &context)?,
                None => (**data).clone(),
            };
            let output = put_result(data, &pass.result, value)?;
            Ok(to_next(pass.next, output))
        }
        Kind::Wait(duration, next) => {
            scope.inner.time.sleep(*duration).await;
            Ok(to_next(*next, Rc::clone(data)))
        }
        Kind::Succeed(output) => {
            let output = take_output(output, Rc::clone(data), &context)?;
            Ok(Next::End(output))
        }
        Kind::Fail(fail) => {
            let text = |path: &Option<Template>, fixed: &str| match path {
                Some(template) => template.fill(data, &context).map(|value| {
                    let value = &value["value"];
                    value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned)
                }),
                None => Ok(fixed.to_owned()),
            };
            let error = text(&fail.error_path, &fail.error)?;
            let cause = text(&fail.cause_path, &fail.cause)?;
            Err(TaskError::new(error, cause).into())
        }
        Kind::Work(work, ends) => {
            let mut attempts = Attempts::new(&ends.retry);
            loop {
                context.retries = attempts.retries();
                let result = run_work(scope, state, work, cursor, data, &context).await;
                let result = result.and_then(|value| {
                    let output = finish_state(ends, data, value, &context)?;
                    scope.check_size(&output)?;
                    Ok(output)
                });
                let error = match result {
                    Ok(output) => return Ok(to_next(ends.next, output)),
                    Err(Stop::Failed(error)) => error,
                    Err(fatal) => return Err(fatal),
                };
                let wait = attempts.wait_after(&error.error, &mut scope.inner.random.borrow_mut());
                let Some(wait) = wait else {
                    return catch_error(ends, data, error);
                };
                scope.inner.time.sleep(wait).await;
                scope.count_transition();
                cursor.clear_inner();
            }
        }
    }
}

/// Runs one attempt of a state that can fail.
async fn run_work(
    scope: &Scope,
    state: &Compiled,
    work: &Work,
    cursor: &Rc<Cursor>,
    data: &Rc<Value>,
    context: &Context,
) -> Result<Value, Stop> {
    match work {
        Work::Task(task) => task::run_task(scope, state, task, data, context).await,
        Work::Parallel(branches) => {
            inline::run_parallel(scope, state, branches, cursor, data, &context.item).await
        }
        Work::Inline(map) => inline::run_map(scope, state, map, cursor, data, context).await,
        Work::Distributed(map, distribution) => {
            let map = (map, distribution);
            distributed::run_map(scope, state, map, cursor, data, context).await
        }
    }
}

/// Goes to the state that catches an error.
fn catch_error(ends: &Ends, data: &Rc<Value>, error: TaskError) -> Result<Next, Stop> {
    let mut catchers = ends.catch.iter();
    let catches = |catcher: &&Catcher| matches_error(&catcher.errors, &error.error);
    let Some(catcher) = catchers.find(catches) else {
        return Err(Stop::Failed(error));
    };
    let value = json!({"Error": error.error, "Cause": error.cause});
    let output = put_result(data, &catcher.place, value)?;
    Ok(Next::State(catcher.next, output))
}

fn to_next(next: Option<usize>, data: Rc<Value>) -> Next {
    match next {
        Some(next) => Next::State(next, data),
        None => Next::End(data),
    }
}

/// Applies `ResultSelector`, `ResultPath` and `OutputPath`.
fn finish_state(
    ends: &Ends,
    data: &Rc<Value>,
    result: Value,
    context: &Context,
) -> Result<Rc<Value>, TaskError> {
    // A result that is dropped is not looked at.
    if matches!(ends.output, Output::Empty) && ends.selector.is_none() {
        return Ok(Rc::new(json!({})));
    }
    let result = match &ends.selector {
        Some(selector) => selector.fill(&result, context)?,
        None => result,
    };
    let output = put_result(data, &ends.result, result)?;
    take_output(&ends.output, output, context)
}

fn put_result(data: &Rc<Value>, place: &Place, result: Value) -> Result<Rc<Value>, TaskError> {
    match place {
        Place::Whole => Ok(Rc::new(result)),
        Place::Nowhere => Ok(Rc::clone(data)),
        Place::At(path) => path.insert(data, result).map(Rc::new).ok_or_else(|| {
            TaskError::new(
                "States.ResultPathMatchFailure",
                "The result cannot be put where its path leads in the input",
            )
        }),
    }
}

fn take_output(
    output: &Output,
    data: Rc<Value>,
    context: &Context,
) -> Result<Rc<Value>, TaskError> {
    match output {
        Output::Whole => Ok(data),
        Output::Empty => Ok(Rc::new(json!({}))),
        Output::At(path, text) => match path.resolve(&data, context) {
            Some(value) => Ok(Rc::new(value.into_owned())),
            None => Err(TaskError::new(
                "States.Runtime",
                format!("Invalid path '{text}': there is no such value in the output"),
            )),
        },
    }
}
