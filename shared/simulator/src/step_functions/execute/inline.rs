//! States that run others within the same execution: parallel branches, and inline maps.

use std::{future::Future, rc::Rc};

use futures::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;

use super::{
    super::{
        execution::Cursor,
        history::EventKind,
        path::Context,
        program::{Compiled, Concurrency, Flow, Items, Map},
    },
    Item, Scope, Stop, run_flow,
};
use crate::{kernel::VirtualTime, saturation::Saturation, task::TaskError};

/// Runs branches until all have ended or one has failed.
pub(super) async fn run_parallel(
    scope: &Scope,
    state: &Compiled,
    branches: &[Rc<Flow>],
    cursor: &Rc<Cursor>,
    data: &Rc<Value>,
    item: &Item,
) -> Result<Value, Stop> {
    let resumed = cursor.has_inner();
    if !resumed {
        scope.add(EventKind::ParallelStateStarted, Some(&state.name))?;
    }
    let branch = |number: usize| {
        let flow = &branches[number];
        let own = cursor.inner(number, || Cursor::new(flow.start, Rc::clone(data)));
        let item = item.clone();
        async move {
            let output = run_flow(scope, flow, &own, item, resumed).await?;
            Ok((number, output))
        }
    };
    match run_at_once(branches.len(), branches.len(), None, branch).await {
        Ok(outputs) => {
            scope.add(EventKind::ParallelStateSucceeded, Some(&state.name))?;
            Ok(to_list(outputs))
        }
        Err(Stop::Failed(error)) => {
            scope.add(EventKind::ParallelStateFailed, Some(&state.name))?;
            Err(Stop::Failed(error))
        }
        Err(fatal) => Err(fatal),
    }
}

/// Runs the states of an inline map for each item.
pub(super) async fn run_map(
    scope: &Scope,
    state: &Compiled,
    map: &Map,
    cursor: &Rc<Cursor>,
    data: &Rc<Value>,
    context: &Context,
) -> Result<Value, Stop> {
    let items = list_items(map, data, context)?;
    let at_once = concurrency(map, data, context, scope.inner.limits.inline_iterations)?;
    let resumed = cursor.has_inner();
    let name = Some(&state.name);
    if !resumed {
        scope.add(EventKind::MapStateStarted, name)?;
    }
    let iteration = |number: usize| {
        let value = Rc::clone(&items[number]);
        async move {
            let item = Some((number, value));
            let known = cursor.known_inner(number);
            let again = known.is_some();
            let own = match known {
                Some(own) => own,
                None => {
                    let input = item_input(scope, map, data, &item)?;
                    scope.add(EventKind::MapIterationStarted, name)?;
                    cursor.inner(number, || Cursor::new(map.flow.start, input))
                }
            };
            if let Some(output) = own.output() {
                return Ok((number, output));
            }
            let ended = run_flow(scope, &map.flow, &own, item, again).await;
            match &ended {
                Ok(_) => scope.add(EventKind::MapIterationSucceeded, name)?,
                Err(Stop::Failed(_)) => scope.add(EventKind::MapIterationFailed, name)?,
                Err(Stop::Fatal(_)) => {}
            }
            ended.map(|output| (number, output))
        }
    };
    let full = (&scope.inner.saturations.iterations, &scope.inner.time);
    match run_at_once(items.len(), at_once, Some(full), iteration).await {
        Ok(outputs) => {
            scope.add(EventKind::MapStateSucceeded, name)?;
            Ok(to_list(outputs))
        }
        Err(Stop::Failed(error)) => {
            scope.add(EventKind::MapStateFailed, name)?;
            Err(Stop::Failed(error))
        }
        Err(fatal) => Err(fatal),
    }
}

/// Returns the input of an item: the item itself, or what the selector makes of it.
pub(super) fn item_input(
    scope: &Scope,
    map: &Map,
    data: &Rc<Value>,
    item: &Item,
) -> Result<Rc<Value>, TaskError> {
    let Some(selector) = &map.selector else {
        let value = item.as_ref().map(|(_, value)| Rc::clone(value));
        return Ok(value.unwrap_or_default());
    };
    selector.fill(data, &scope.context(item)).map(Rc::new)
}

/// Returns the items of a map over a list.
pub(super) fn list_items(
    map: &Map,
    data: &Value,
    context: &Context,
) -> Result<Vec<Rc<Value>>, TaskError> {
    let Items::At(path, text) = &map.items else {
        return Ok(Vec::new());
    };
    let value = path.resolve(data, context);
    match value.as_deref() {
        Some(Value::Array(items)) => Ok(items.iter().cloned().map(Rc::new).collect()),
        _ => Err(TaskError::new(
            "States.Runtime",
            format!("Reference path '{text}' must point to an array"),
        )),
    }
}

/// Returns the number of items of a map that run at once: as many as the map asks for, and at most
/// `most`, which 0 means as well.
pub(super) fn concurrency(
    map: &Map,
    data: &Value,
    context: &Context,
    most: usize,
) -> Result<usize, TaskError> {
    let asked = match &map.concurrency {
        Concurrency::Fixed(number) => *number,
        Concurrency::At(path, text) => {
            let value = path.resolve(data, context).and_then(|value| value.as_u64());
            let value = value.and_then(|value| usize::try_from(value).ok());
            value.ok_or_else(|| {
                TaskError::new(
                    "States.Runtime",
                    format!("Reference path '{text}' must point to a non-negative integer"),
                )
            })?
        }
    };
    Ok(if asked == 0 { most } else { asked.min(most) })
}

/// Runs numbered futures, so many at once, until all have ended or one has failed. Returns the outputs by
/// number. `full` counts the time for which some have to wait.
async fn run_at_once<F>(
    count: usize,
    at_once: usize,
    full: Option<(&Saturation, &VirtualTime)>,
    make: impl Fn(usize) -> F,
) -> Result<Vec<Rc<Value>>, Stop>
where
    F: Future<Output = Result<(usize, Rc<Value>), Stop>>,
{
    let mut outputs: Vec<Option<Rc<Value>>> = vec![None; count];
    let mut running = FuturesUnordered::new();
    let mut next = 0;
    loop {
        while next < count && running.len() < at_once {
            running.push(make(next));
            next += 1;
        }
        let waiting = full.filter(|_| next < count);
        let waiting = waiting.map(|(full, time)| full.begin(time));
        let ended = running.next().await;
        drop(waiting);
        let Some(ended) = ended else {
            return Ok(outputs.into_iter().flatten().collect());
        };
        let (number, output) = ended?;
        outputs[number] = Some(output);
    }
}

fn to_list(outputs: Vec<Rc<Value>>) -> Value {
    outputs.into_iter().map(Rc::unwrap_or_clone).collect()
}
