//! Distributed maps: each row of a manifest in a child execution of its own.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures::{
    StreamExt,
    future::{Either, join, select},
    stream::FuturesUnordered,
};
use serde_json::{Value, json};

use super::{
    super::{
        execution::Cursor,
        history::{EventKind, History},
        path::{Context, ExecutionContext},
        program::{Compiled, Distribution, Items, Map},
    },
    Item, Scope, Stop,
    inline::{concurrency, item_input, list_items},
    run_flow,
};
use crate::{bill::Unit, task::TaskError};

/// Memory of an Express execution, in GB: AWS bills chunks of 64 MB, and ours hold little.
///
/// <https://aws.amazon.com/step-functions/pricing/>
const EXPRESS_GB: f64 = 64.0 / 1024.0;
/// The unit of an Express execution's duration.
const EXPRESS_CHUNK: Duration = Duration::from_millis(100);

/// The outcomes of the children.
#[derive(Debug, Default)]
struct Tally {
    succeeded: u64,
    failed: Vec<Value>,
}

/// Runs a child for each item, and writes the results.
pub(super) async fn run_map(
    scope: &Scope,
    state: &Compiled,
    (map, distribution): (&Map, &Distribution),
    cursor: &Rc<Cursor>,
    data: &Rc<Value>,
    context: &Context,
) -> Result<Value, Stop> {
    let at_once = concurrency(map, data, context, scope.inner.limits.children)?;
    let resumed = cursor.has_inner();
    let name = Some(&state.name);
    if resumed {
        scope.add(EventKind::MapRunRedriven, name)?;
    } else {
        scope.add(EventKind::MapStateStarted, name)?;
        scope.add(EventKind::MapRunStarted, name)?;
    }
    let rows = match read_rows(scope, map, data, context).await {
        Ok(rows) => rows,
        Err(error) => {
            scope.add(EventKind::MapRunFailed, name)?;
            scope.add(EventKind::MapStateFailed, name)?;
            return Err(error.into());
        }
    };
    let run = format!(
        "{}/{}:{}",
        scope.execution.machine,
        state.name,
        scope.inner.next_number()
    );
    let parent = Parent {
        scope,
        map,
        data,
        cursor,
        run: &run,
        express: distribution.express,
    };
    let tally = parent.run_children(&rows, at_once).await?;
    let count = tally.succeeded + tally.failed.len() as u64;
    if let Some(results) = &distribution.results {
        let target = results.fill(data, context)?;
        write_results(scope, &run, &target, &tally).await?;
    }
    let failed_percent = match count {
        0 => 0.0,
        _ => tally.failed.len() as f64 * 100.0 / count as f64,
    };
    if failed_percent > distribution.tolerated_percent {
        scope.add(EventKind::MapRunFailed, name)?;
        scope.add(EventKind::MapStateFailed, name)?;
        return Err(TaskError::new(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )
        .into());
    }
    scope.add(EventKind::MapRunSucceeded, name)?;
    scope.add(EventKind::MapStateSucceeded, name)?;
    Ok(json!({"MapRunArn": run}))
}

/// The items of a map: lines of a manifest, or a list.
enum Rows {
    Lines(String),
    List(Vec<Rc<Value>>),
}

impl Rows {
    fn iter(&self) -> Box<dyn Iterator<Item = Result<Rc<Value>, TaskError>> + '_> {
        match self {
            Self::Lines(text) => {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                Box::new(lines.map(|line| {
                    serde_json::from_str(line).map(Rc::new).map_err(|error| {
                        TaskError::new(
                            "States.ItemReaderFailed",
                            format!("a line of the manifest: {error}"),
                        )
                    })
                }))
            }
            Self::List(items) => Box::new(items.iter().cloned().map(Ok)),
        }
    }
}

async fn read_rows(
    scope: &Scope,
    map: &Map,
    data: &Rc<Value>,
    context: &Context,
) -> Result<Rows, TaskError> {
    let Items::Lines(template) = &map.items else {
        return list_items(map, data, context).map(Rows::List);
    };
    let parameters = template.fill(data, context)?;
    let text = |name: &str| parameters[name].as_str().unwrap_or_default();
    let content = scope
        .inner
        .objects
        .read_object(text("Bucket"), text("Key"))
        .await;
    let content =
        content.map_err(|error| TaskError::new("States.ItemReaderFailed", error.to_string()))?;
    let lines = String::from_utf8(content)
        .map_err(|_| TaskError::new("States.ItemReaderFailed", "the manifest is not UTF-8"))?;
    Ok(Rows::Lines(lines))
}

/// The parent of children.
struct Parent<'a> {
    scope: &'a Scope,
    map: &'a Map,
    data: &'a Rc<Value>,
    cursor: &'a Rc<Cursor>,
    run: &'a str,
    express: bool,
}

impl Parent<'_> {
    async fn run_children(&self, rows: &Rows, at_once: usize) -> Result<Tally, Stop> {
        let mut tally = Tally::default();
        let mut rows = rows.iter().enumerate();
        let mut running = FuturesUnordered::new();
        let mut left = true;
        loop {
            while left && running.len() < at_once {
                let Some((number, row)) = rows.next() else {
                    left = false;
                    break;
                };
                if let Some(own) = self.cursor.known_inner(number)
                    && own.output().is_some()
                {
                    tally.succeeded += 1;
                    continue;
                }
                running.push(self.run_child(number, row?));
            }
            // Rows are left and have to wait for a child to end.
            let inner = &self.scope.inner;
            let waiting = left.then(|| inner.saturations.children.begin(&inner.time));
            let ended = running.next().await;
            drop(waiting);
            match ended {
                Some((_, Ok(()))) => tally.succeeded += 1,
                Some((number, Err(error))) => tally.failed.push(json!({
                    "ExecutionArn": format!("{}:{number}", self.run),
                    "Status": "FAILED",
                    "Error": error.error,
                    "Cause": error.cause,
                })),
                None => return Ok(tally),
            }
        }
    }

    async fn run_child(&self, number: usize, row: Rc<Value>) -> (usize, Result<(), TaskError>) {
        let inner = &self.scope.inner;
        inner.time.sleep_until(inner.next_start(self.express)).await;
        // The parent pays a transition for each child.
        self.scope.count_transition();
        let item = Some((number, row));
        let input = match item_input(self.scope, self.map, self.data, &item) {
            Ok(input) => input,
            Err(error) => return (number, Err(error)),
        };
        let known = self.cursor.known_inner(number);
        let resumed = known.is_some() && !self.express;
        let own = match known {
            // An Express child is not continued but starts again.
            Some(own) if self.express => {
                own.move_to(self.map.flow.start, input);
                own
            }
            Some(own) => own,
            None => self
                .cursor
                .inner(number, || Cursor::new(self.map.flow.start, input)),
        };
        let doubled = self.express && inner.is_doubled();
        let ended = if doubled {
            // At least once: the second execution may come any time while the first runs.
            let later = Duration::from_millis(inner.random.borrow_mut().u64(0..2_000));
            let second = Cursor::new(self.map.flow.start, own.data());
            let (first, _) = join(self.run_once(number, &own, item.clone(), false), async {
                inner.time.sleep(later).await;
                self.run_once(number, &second, item.clone(), false).await
            })
            .await;
            first
        } else {
            self.run_once(number, &own, item, resumed).await
        };
        (number, ended)
    }

    async fn run_once(
        &self,
        number: usize,
        cursor: &Rc<Cursor>,
        item: Item,
        resumed: bool,
    ) -> Result<(), TaskError> {
        let inner = &self.scope.inner;
        let scope = Scope {
            inner: Rc::clone(inner),
            execution: Rc::new(ExecutionContext {
                id: format!("{}:{number}", self.run),
                name: format!("{number}"),
                redrive: u32::from(resumed),
                start: inner.now_text(),
                machine: self.run.to_owned(),
                input: None,
            }),
            history: Rc::new(RefCell::new(History::new(inner.records_history))),
            express: self.express,
        };
        let begun = inner.time.elapsed();
        let started = if resumed {
            EventKind::ExecutionRedriven
        } else {
            EventKind::ExecutionStarted
        };
        scope.history.borrow_mut().add(started, None);
        let flow = run_flow(&scope, &self.map.flow, cursor, item, resumed);
        let ended = if self.express {
            match select(flow, inner.time.sleep(inner.limits.express_duration)).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => {
                    Err(TaskError::new("States.Timeout", "the execution timed out").into())
                }
            }
        } else {
            flow.await
        };
        let last = match &ended {
            Ok(_) => EventKind::ExecutionSucceeded,
            Err(stop) if stop.clone().into_error().error == "States.Timeout" => {
                EventKind::ExecutionTimedOut
            }
            Err(_) => EventKind::ExecutionFailed,
        };
        scope.history.borrow_mut().add(last, None);
        if self.express {
            let took = inner.time.elapsed().saturating_sub(begun);
            let chunks = took.div_duration_f64(EXPRESS_CHUNK).ceil().max(1.0);
            inner.bill.add_one(Unit::ExpressRequest);
            let seconds = chunks * EXPRESS_CHUNK.as_secs_f64();
            inner.bill.add(Unit::ExpressGbSecond, seconds * EXPRESS_GB);
        }
        if inner.records_history {
            let history = scope.history.borrow().clone();
            let mut children = inner.child_histories.borrow_mut();
            children.push((scope.execution.id.clone(), history));
        }
        ended.map(|_| ()).map_err(Stop::into_error)
    }
}

/// Writes the results of a map: a manifest, and a file for each status that children have.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html>
async fn write_results(
    scope: &Scope,
    run: &str,
    target: &Value,
    tally: &Tally,
) -> Result<(), TaskError> {
    let text = |name: &str| target[name].as_str().unwrap_or_default();
    let id = run.rsplit(':').next().unwrap_or_default();
    let folder = format!("{}/{id}", text("Prefix"));
    let mut files = Vec::new();
    if tally.succeeded > 0 {
        // Generated machines drop the outputs of their children, so the count says everything.
        let content = json!([{"Status": "SUCCEEDED", "Count": tally.succeeded}]);
        files.push(("SUCCEEDED_0.json", content));
    }
    if !tally.failed.is_empty() {
        files.push(("FAILED_0.json", tally.failed.clone().into()));
    }
    let names: Vec<String> = files
        .iter()
        .map(|(name, _)| format!("{folder}/{name}"))
        .collect();
    let manifest =
        json!({"DestinationBucket": text("Bucket"), "MapRunArn": run, "ResultFiles": names});
    files.push(("manifest.json", manifest));
    for (name, content) in files {
        let key = format!("{folder}/{name}");
        let content = content.to_string().into_bytes();
        let written = scope
            .inner
            .objects
            .write_object(text("Bucket"), &key, content);
        written
            .await
            .map_err(|error| TaskError::new("States.ResultWriterFailed", error.to_string()))?;
    }
    Ok(())
}
