//! `automation.json`: Automation conditions, tick by tick.

mod record;
mod timeline;

use std::collections::BTreeMap;

use precip_core::{
    automation::{AutomationCursor, Conditions, Explanation, Ordering},
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};
use serde_json::{Value, json};

use crate::kind::{Kind, Mismatch};
use record::Record;
use timeline::{Definitions, Timeline};

/// Automation conditions, tick by tick.
pub(crate) struct Automation;

/// How many requests of a tick are listed; of more, the number and the first.
const LISTED: usize = 80;
/// How many of more are listed.
const FIRST: usize = 20;

impl Kind for Automation {
    const FILE: &'static str = "automation.json";

    type Shared = Definitions;

    fn shared(body: &Value) -> Self::Shared {
        Definitions::read(&body["partitions_defs"])
    }

    fn check(case: &Value, definitions: &Self::Shared) -> Result<(), Mismatch> {
        let mut timeline = Timeline::read(case, definitions);
        let mut record = Record::default();
        let mut cursor = AutomationCursor::default();
        let mut requested: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        for (step, expected) in timeline
            .steps
            .clone()
            .iter()
            .zip(&timeline.expected.clone())
        {
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
            let conditions = Conditions::new(&graph, Ordering::Tick).unwrap();
            // What one tick leaves is stored before the next: it must survive that.
            let stored = serde_json::to_string(&cursor).unwrap();
            cursor = serde_json::from_str(&stored).unwrap();
            let evaluation = match conditions.evaluate(&snapshot, &cursor, &context) {
                Ok(evaluation) => evaluation,
                Err(_) if expected.get("error").is_some() => return Ok(()),
                Err(error) => return Err(Mismatch::new(expected, error)),
            };
            let mut answer: Vec<(String, Option<String>)> = Vec::new();
            for (key, partitions) in &evaluation.requested {
                let id = graph.id(key).unwrap();
                for partition in timeline::keys(&graph, id, partitions, &context) {
                    answer.push((key.to_string(), partition));
                }
            }
            answer.sort();
            let answer = if answer.len() > LISTED {
                json!({"count": answer.len(), "first": answer[..FIRST]})
            } else {
                json!(answer)
            };
            let what = format!("at {now}");
            Mismatch::unless_equal(&what, &expected["requested"], &answer)?;
            for explanation in evaluation.explanations.values() {
                looked_up(explanation, &mut record);
            }
            cursor = evaluation.cursor;
            requested = evaluation.requested;
        }
        Ok(())
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
