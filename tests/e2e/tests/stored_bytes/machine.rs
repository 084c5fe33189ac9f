//! Payloads of the state machines, and manifests. What a machine does with them is in
//! `simulation/stored.rs`.

use std::fs;

use precip_core::machine::{Item, Row};
use precip_engine::machine::{
    Finished, ItemDocument, MaterializeRequest, PlannerRequest, WaveDocument,
};
use precip_tests::stored::stored_fixture;
use serde_json::Value;

use crate::{files_below, parse_whole};

/// Reads JSON Lines.
fn parse_lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn manifest_rows_are_read_as_the_same_items() {
    let mut items: Vec<Item> = Vec::new();
    for path in files_below(&stored_fixture("machine/manifests"), ".jsonl") {
        for line in parse_lines(&fs::read_to_string(path).unwrap()) {
            items.extend(parse_whole::<Row>(&line).items);
        }
    }
    // Eight partitions of the first wave, and the unpartitioned asset of the second.
    assert_eq!(items.len(), 9);
    let third = &items[2];
    assert_eq!(third.key.as_ref().unwrap().as_str(), "3");
    assert_eq!(third.partitions.iter().collect::<Vec<_>>(), [2]);
    let steps: Vec<&str> = third.steps.keys().map(|name| name.as_str()).collect();
    assert_eq!(
        steps,
        ["source", "left", "right", "joined", "joined_positive"]
    );
    assert_eq!((&items[8].key, items[8].steps.len()), (&None, 1));
}

/// Each payload is read by the function that receives it, and each answer by the next state.
#[test]
fn requests_and_answers_are_read_whole() {
    let text = fs::read_to_string(stored_fixture("machine/calls.jsonl")).unwrap();
    let mut requests = Vec::new();
    for call in parse_lines(&text) {
        let (kind, payload) = call.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "request" => requests.push(parse_whole::<PlannerRequest>(payload).name()),
            "materialize" => drop(parse_whole::<MaterializeRequest>(payload)),
            "item" => assert_batch_with_a_part(&parse_whole(payload)),
            "answer" if payload.get("again").is_some() => drop(parse_whole::<Finished>(payload)),
            "answer" if payload.get("item").is_some() => {
                drop(parse_whole::<ItemDocument>(payload));
            }
            "answer" => drop(parse_whole::<WaveDocument>(payload)),
            // The error's name is the one that the machines catch.
            "error" => assert_eq!(payload["name"], "Precip.RunFailed"),
            other => panic!("no payload is a {other}"),
        }
    }
    for name in ["plan", "settle", "record", "finish"] {
        assert!(requests.contains(&name), "no request is named {name}");
    }
}

/// Checks a batch whose step runs only some assets and partitions.
fn assert_batch_with_a_part(item: &Item) {
    assert_eq!(item.partitions.iter().collect::<Vec<_>>(), [0, 1, 2, 5]);
    let step = item.steps.values().next().unwrap();
    let part = step.part.as_ref().unwrap();
    assert_eq!(part.assets[0].to_string(), "source");
    assert_eq!(part.checks[0].to_string(), "joined:positive");
    let partitions = step.partitions.as_ref().unwrap();
    assert_eq!(partitions.iter().collect::<Vec<_>>(), [1, 2]);
}
