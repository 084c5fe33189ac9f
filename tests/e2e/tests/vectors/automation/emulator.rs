//! The cases on a record in DynamoDB, through what the reactor does with the table's stream.

use std::{collections::BTreeSet, path::Path};

use futures::{StreamExt, stream};
use precip_core::automation::Ordering;
use serde_json::Value;

use super::{Automation, evaluated, replay::replay, timeline::Timeline};
use crate::{document::Document, kind::Kind};

/// The number of cases that are replayed at a time.
const AT_ONCE: usize = 4;

/// Returns the topics of a case: conditions, events, kinds of partitions, and what follows a request.
fn topics(case: &Value) -> BTreeSet<String> {
    let mut topics = BTreeSet::new();
    let assets = case["assets"].as_array().unwrap();
    for asset in assets {
        operators(&asset["condition"], &mut topics);
    }
    let divided = assets.iter().map(|asset| &asset["partitions"]);
    topics.extend(divided.map(|name| format!("divided by {name}")));
    let steps = case["steps"].as_array().unwrap().iter();
    let events = steps.flat_map(|step| step["events"].as_array().unwrap());
    topics.extend(events.map(|event| format!("event {}", event["type"])));
    topics.insert(format!("after a tick {}", case["after_tick"]));
    topics
}

fn operators(condition: &Value, topics: &mut BTreeSet<String>) {
    match condition {
        Value::Object(fields) => {
            topics.extend(fields.get("op").map(|op| format!("condition {op}")));
            fields.values().for_each(|field| operators(field, topics));
        }
        Value::Array(parts) => parts.iter().for_each(|part| operators(part, topics)),
        _ => {}
    }
}

/// Of the cases that a record can be brought to, each that is about something none before it is about;
/// then the topics that only other cases have.
fn sample(cases: &[Value], possible: impl Fn(&Value) -> bool) -> (Vec<&Value>, BTreeSet<String>) {
    let mut topics_of: BTreeSet<String> = cases.iter().flat_map(topics).collect();
    let mut chosen = Vec::new();
    for case in cases.iter().filter(|case| possible(case)) {
        let topics = topics(case);
        if !topics.is_disjoint(&topics_of) {
            topics_of = &topics_of - &topics;
            chosen.push(case);
        }
    }
    (chosen, topics_of)
}

/// Each kind of condition, event and partition: the record asks for what the pure core asks for, which
/// is what Dagster requested wherever the order within one tick does not matter.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_record_asks_for_is_what_the_core_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/automation.json");
    let document = Document::read(&file);
    let named = Automation::shared(&document.body);
    let possible = |case: &Value| {
        let requested = evaluated(case, &named, Ordering::Sequence);
        Timeline::read(case, &named).can_be_played(&requested)
    };
    let (chosen, left) = sample(document.cases(), possible);
    assert_eq!(left, BTreeSet::new(), "nothing is replayed about them");
    let replayed = stream::iter(chosen).map(async |case| {
        let expected = evaluated(case, &named, Ordering::Sequence);
        let dagsters = Automation::check(case, &named).is_ok()
            && expected == evaluated(case, &named, Ordering::Tick);
        let outcome = replay(case, &named, &expected).await;
        (&case["id"], dagsters, outcome)
    });
    let replayed: Vec<_> = replayed.buffered(AT_ONCE).collect().await;
    let wrong = replayed
        .iter()
        .filter_map(|(id, _, outcome)| Some((id, outcome.as_ref().err()?)));
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let dagsters = replayed.iter().filter(|(_, dagsters, _)| *dagsters).count();
    assert!(
        replayed.len() >= 20,
        "only {} cases are replayed",
        replayed.len()
    );
    assert!(
        dagsters >= 15,
        "only {dagsters} of them are Dagster's answers"
    );
}
