//! `automation.json`: Automation conditions, tick by tick.

#[cfg(feature = "aws")]
mod emulator;
mod record;
#[cfg(feature = "aws")]
mod replay;
mod timeline;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use precip_core::{
    automation::{AutomationCursor, Conditions, Explanation, Ordering},
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};
use serde_json::{Value, json};

use crate::kind::{Kind, Mismatch};
use record::Record;
use timeline::{Definitions, Timeline};

/// Automation conditions, tick by tick.
pub(crate) struct Automation;

/// The most requests of a tick that are listed in full; of more, the number and the first are.
const LISTED: usize = 80;
/// The number of requests that are listed of more.
const FIRST: usize = 20;

impl Kind for Automation {
    const FILE: &'static str = "automation.json";

    type Shared = Definitions;

    fn shared(body: &Value) -> Self::Shared {
        Definitions::read(&body["partitions_defs"])
    }

    fn check(case: &Value, definitions: &Self::Shared) -> Result<(), Mismatch> {
        let answers = evaluated(case, definitions, Ordering::Tick);
        let expected = case["expect"]["ticks"].as_array().unwrap();
        for (expected, (now, answer)) in expected.iter().zip(&answers) {
            same(
                *now,
                expected.get("error").unwrap_or(&expected["requested"]),
                answer,
            )?;
        }
        Ok(())
    }
}

/// Compares two answers of a tick; an error is as good as another.
fn same(now: DateTime<Utc>, expected: &Value, answer: &Value) -> Result<(), Mismatch> {
    if expected.is_string() && answer.is_string() {
        return Ok(());
    }
    Mismatch::unless_equal(&format!("at {now}"), expected, answer)
}

/// Returns the requests of each tick of a case, for one order of events. An error, as text, is the last.
fn evaluated(
    case: &Value,
    definitions: &Definitions,
    ordering: Ordering,
) -> Vec<(DateTime<Utc>, Value)> {
    let mut timeline = Timeline::read(case, definitions);
    let mut record = Record::default();
    let mut cursor = AutomationCursor::default();
    let mut requested: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
    let mut answers = Vec::new();
    for step in &timeline.steps.clone() {
        let now = timeline.advance(step.minutes);
        let context = PartitionContext::at(now);
        for event in &step.events {
            timeline.apply(event, &mut record);
        }
        if timeline.reports_requested {
            let graph = timeline.graph();
            for (key, partitions) in &std::mem::take(&mut requested) {
                let id = graph.id(key).unwrap();
                for partition in timeline::keys(&graph, id, partitions, &context) {
                    record.report(key, partition, now);
                }
            }
        }

        let graph = timeline.graph();
        let snapshot = record.snapshot(&graph, &context);
        let conditions = Conditions::new(&graph, ordering).unwrap();
        // What one tick leaves is stored before the next: it must survive that.
        let stored = serde_json::to_string(&cursor).unwrap();
        cursor = serde_json::from_str(&stored).unwrap();
        let evaluation = match conditions.evaluate_tick(&snapshot, &cursor, &context) {
            Ok(evaluation) => evaluation,
            Err(error) => {
                answers.push((now, json!(error.to_string())));
                break;
            }
        };
        answers.push((now, answer(&graph, &evaluation.requested, &context)));
        for explanation in evaluation.explanations.values() {
            looked_up(explanation, &mut record);
        }
        cursor = evaluation.cursor;
        requested = evaluation.requested;
    }
    answers
}

/// Returns the requests of a tick in the format of the file.
fn answer(
    graph: &AssetGraph,
    requested: &BTreeMap<AssetKey, PartitionSet>,
    context: &PartitionContext,
) -> Value {
    let mut answer: Vec<(String, Option<String>)> = Vec::new();
    for (key, partitions) in requested {
        let id = graph.id(key).unwrap();
        for partition in timeline::keys(graph, id, partitions, context) {
            answer.push((key.to_string(), partition));
        }
    }
    answer.sort();
    match answer.len() > LISTED {
        true => json!({"count": answer.len(), "first": answer[..FIRST]}),
        false => json!(answer),
    }
}

/// Dagster keeps the status of partitions in a cache that is refreshed when a condition asks.
fn looked_up(explanation: &Explanation, record: &mut Record) {
    let status = ["missing", "run_in_progress", "execution_failed"];
    if explanation.candidates > 0 && status.contains(&&*explanation.name) {
        record.remember_status(&explanation.asset);
    }
    for child in &explanation.children {
        looked_up(child, record);
    }
}
