use std::cmp::Ordering;

use serde_json::json;

use crate::trigger::{ObjectChange, newer_sequencer, read_events};

#[test]
fn keys_of_notifications_are_decoded_and_those_of_event_bridge_are_not() {
    let notification = json!({"Records": [{
        "eventSource": "aws:s3", "eventTime": "2024-01-31T06:00:00.123Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {
            "key": "a+b/S%C3%A3o+Paulo%2B1.csv", "size": 3, "eTag": "e", "sequencer": "0A"}}
    }]});
    let from_notification = read_events(&notification).unwrap();
    assert_eq!(
        from_notification[0].events.as_ref().unwrap()[0].key,
        "a b/São Paulo+1.csv"
    );
    let event_bridge = json!({
        "detail-type": "Object Created", "source": "aws.s3", "time": "2024-01-31T06:00:00Z",
        "detail": {"bucket": {"name": "b"}, "object": {
            "key": "a+b/50%25.csv", "size": 3, "etag": "e", "version-id": "v", "sequencer": "0A"}}
    });
    let from_event_bridge = read_events(&event_bridge).unwrap();
    let event = &from_event_bridge[0].events.as_ref().unwrap()[0];
    assert_eq!(event.key, "a+b/50%25.csv");
    assert_eq!(
        (event.version.as_deref(), event.change),
        (Some("v"), ObjectChange::Created)
    );
}

#[test]
fn an_invalid_message_does_not_affect_the_others() {
    let body = json!({
        "detail-type": "Object Deleted", "time": "2024-01-31T06:00:00Z",
        "detail": {"bucket": {"name": "b"}, "object": {"key": "k", "sequencer": "0A"}}
    });
    let batch = json!({"Records": [
        {"messageId": "1", "eventSource": "aws:sqs", "body": "{not json"},
        {"messageId": "2", "eventSource": "aws:sqs", "body": body.to_string()},
        {"messageId": "3", "eventSource": "aws:sqs", "body": "{\"Event\":\"s3:TestEvent\"}"},
        {"messageId": "4", "eventSource": "aws:sqs", "body": "{\"detail-type\":\"Other\"}"},
    ]});
    let read = read_events(&batch).unwrap();
    let results: Vec<String> = read
        .iter()
        .map(|message| match &message.events {
            Ok(events) => events.len().to_string(),
            Err(error) => error.to_string(),
        })
        .collect();
    assert!(
        results[0].contains("its body is not JSON"),
        "{}",
        results[0]
    );
    assert_eq!(results[1..3], ["1", "0"]);
    assert!(
        results[3].contains("`detail-type` is `Other`"),
        "{}",
        results[3]
    );
    assert!(read_events(&json!({"hello": 1})).is_err());
}

#[test]
fn sequencers_compare_as_numbers_filled_up_on_the_right() {
    assert_eq!(
        newer_sequencer("0055AED6DCD9", "0055AED6DCD90281E5"),
        Ordering::Less
    );
    assert_eq!(
        newer_sequencer("617f08299329d189", "617F08299329D188"),
        Ordering::Greater
    );
    assert_eq!(newer_sequencer("0A00", "0a"), Ordering::Equal);
}
