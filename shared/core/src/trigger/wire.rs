//! Messages about objects, in each form in which they come.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{ObjectChange, ObjectEvent};

/// The events of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEvents {
    /// The SQS message that they came in; `None` when they came by themselves.
    pub message: Option<String>,
    /// The events, or why the message cannot be understood.
    pub events: Result<Vec<ObjectEvent>, InvalidEvent>,
}

/// A message that is not about objects, or cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no event of S3: {problem}; there are EventBridge's `Object Created` and `Object \
     Deleted`, S3's own notifications (`Records`), and SQS messages with either in their body"
)]
pub struct InvalidEvent {
    problem: String,
}

impl InvalidEvent {
    fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
        }
    }
}

/// Reads what a function is invoked with: an event of EventBridge, a notification of S3, or a batch
/// of SQS messages with either in their bodies. S3's own notifications have URL-encoded keys, with
/// `+` for a space; those of EventBridge have the keys as they are.
///
/// One message that cannot be understood is answered by itself, and harms no other. The message that
/// S3 sends when notifications are turned on (`s3:TestEvent`) has no events.
///
/// # Errors
/// [`InvalidEvent`] when the whole is none of these.
pub fn read_events(payload: &Value) -> Result<Vec<MessageEvents>, InvalidEvent> {
    let records = payload.get("Records").and_then(Value::as_array);
    let is_sqs =
        |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    match records {
        Some(records) if records.iter().any(is_sqs) => Ok(records.iter().map(message).collect()),
        _ => Ok(vec![MessageEvents {
            message: None,
            events: Ok(read_one(payload)?),
        }]),
    }
}

fn message(record: &Value) -> MessageEvents {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let body = text("body").ok_or_else(|| InvalidEvent::new("a message has no `body`"));
    let events = body.and_then(|body| {
        let body: Value = serde_json::from_str(body)
            .map_err(|error| InvalidEvent::new(format!("its body is not JSON ({error})")))?;
        read_one(&body)
    });
    MessageEvents {
        message: text("messageId").map(str::to_owned),
        events,
    }
}

fn read_one(payload: &Value) -> Result<Vec<ObjectEvent>, InvalidEvent> {
    if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if let Some(records) = payload.get("Records").and_then(Value::as_array) {
        return records.iter().map(notification).collect();
    }
    match payload.get("detail-type").and_then(Value::as_str) {
        Some(detail_type) => event_bridge(detail_type, payload).map(|event| vec![event]),
        None => Err(InvalidEvent::new(
            "it has neither `detail-type` nor `Records`",
        )),
    }
}

#[derive(Deserialize)]
struct EventBridge {
    time: DateTime<Utc>,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Named,
    object: Object,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    #[serde(rename = "version-id", alias = "versionId")]
    version: Option<String>,
    sequencer: Option<String>,
}

fn event_bridge(detail_type: &str, payload: &Value) -> Result<ObjectEvent, InvalidEvent> {
    let change = match detail_type {
        "Object Created" => ObjectChange::Created,
        "Object Deleted" => ObjectChange::Deleted,
        other => return Err(InvalidEvent::new(format!("its `detail-type` is `{other}`"))),
    };
    let event =
        EventBridge::deserialize(payload).map_err(|error| InvalidEvent::new(error.to_string()))?;
    Ok(event_of(
        event.detail.bucket.name,
        event.detail.object,
        change,
        event.time,
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    event_name: String,
    event_time: DateTime<Utc>,
    s3: Detail,
}

fn notification(record: &Value) -> Result<ObjectEvent, InvalidEvent> {
    let record =
        Notification::deserialize(record).map_err(|error| InvalidEvent::new(error.to_string()))?;
    let name = record
        .event_name
        .strip_prefix("s3:")
        .unwrap_or(&record.event_name);
    let change = match name.split(':').next() {
        Some("ObjectCreated") => ObjectChange::Created,
        Some("ObjectRemoved" | "LifecycleExpiration") => ObjectChange::Deleted,
        _ => return Err(InvalidEvent::new(format!("its `eventName` is `{name}`"))),
    };
    let mut object = record.s3.object;
    object.key = decode_key(&object.key)
        .ok_or_else(|| InvalidEvent::new(format!("its key `{}` is not UTF-8", object.key)))?;
    Ok(event_of(
        record.s3.bucket.name,
        object,
        change,
        record.event_time,
    ))
}

fn event_of(
    bucket: String,
    object: Object,
    change: ObjectChange,
    at: DateTime<Utc>,
) -> ObjectEvent {
    ObjectEvent {
        bucket,
        key: object.key,
        change,
        at,
        size: object.size,
        etag: object.etag.map(|etag| etag.trim_matches('"').to_owned()),
        version: object.version.filter(|version| !version.is_empty()),
        sequencer: object.sequencer,
    }
}

/// A key out of a form's encoding: `+` is a space, `%2B` a plus. So S3 writes them in its own
/// notifications, and in listings that ask for it. `None` for one that is not UTF-8.
pub fn decode_key(key: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
