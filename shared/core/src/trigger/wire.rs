//! Reading messages about objects in every form.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{ObjectChange, ObjectEvent};

/// The events of one message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageEvents {
    /// The id of the SQS message; `None` for events outside SQS.
    pub message: Option<String>,
    /// The events, or the error of reading the message.
    pub events: Result<Vec<ObjectEvent>, InvalidEvent>,
}

/// A message that is not a valid event of S3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no event of S3: {problem}; supported are EventBridge's `Object Created` and `Object \
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

/// Reads the payload of a function: an event of EventBridge, a notification of S3, or a batch of
/// SQS messages with either in their bodies. S3's own notifications have URL-encoded keys, with `+`
/// for a space; EventBridge sends keys without encoding.
///
/// An invalid message of a batch has an error of its own and does not affect the others. The
/// message that S3 sends when notifications are turned on (`s3:TestEvent`) has no events.
///
/// # Errors
/// [`InvalidEvent`] when the payload is none of these.
pub fn read_events(payload: &Value) -> Result<Vec<MessageEvents>, InvalidEvent> {
    let records = payload.get("Records").and_then(Value::as_array);
    let is_sqs =
        |record: &Value| record.get("eventSource").and_then(Value::as_str) == Some("aws:sqs");
    // S3 notifications have `Records` as well: the event source distinguishes them from SQS.
    match records {
        Some(records) if records.iter().any(is_sqs) => {
            Ok(records.iter().map(read_message).collect())
        }
        _ => Ok(vec![MessageEvents {
            message: None,
            events: Ok(read_one(payload)?),
        }]),
    }
}

/// Reads one SQS message.
fn read_message(record: &Value) -> MessageEvents {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let body = text("body").ok_or_else(|| InvalidEvent::new("a message has no `body`"));
    let events = body.and_then(|body| {
        let payload: Value = serde_json::from_str(body)
            .map_err(|error| InvalidEvent::new(format!("its body is not JSON ({error})")))?;
        read_one(&payload)
    });
    MessageEvents {
        message: text("messageId").map(str::to_owned),
        events,
    }
}

/// Reads one event of EventBridge or one notification of S3.
fn read_one(payload: &Value) -> Result<Vec<ObjectEvent>, InvalidEvent> {
    if payload.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if let Some(records) = payload.get("Records").and_then(Value::as_array) {
        return records.iter().map(read_notification).collect();
    }
    match payload.get("detail-type").and_then(Value::as_str) {
        Some(detail_type) => read_event_bridge(detail_type, payload).map(|event| vec![event]),
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

/// Reads an event of EventBridge.
fn read_event_bridge(detail_type: &str, payload: &Value) -> Result<ObjectEvent, InvalidEvent> {
    let change = match detail_type {
        "Object Created" => ObjectChange::Created,
        "Object Deleted" => ObjectChange::Deleted,
        other => return Err(InvalidEvent::new(format!("its `detail-type` is `{other}`"))),
    };
    let event =
        EventBridge::deserialize(payload).map_err(|error| InvalidEvent::new(error.to_string()))?;
    Ok(build_event(
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

/// Reads a record of an S3 notification.
fn read_notification(record: &Value) -> Result<ObjectEvent, InvalidEvent> {
    let notification =
        Notification::deserialize(record).map_err(|error| InvalidEvent::new(error.to_string()))?;
    // The name comes with and without the prefix `s3:`.
    let name = notification
        .event_name
        .strip_prefix("s3:")
        .unwrap_or(&notification.event_name);
    let change = match name.split(':').next() {
        Some("ObjectCreated") => ObjectChange::Created,
        Some("ObjectRemoved" | "LifecycleExpiration") => ObjectChange::Deleted,
        _ => return Err(InvalidEvent::new(format!("its `eventName` is `{name}`"))),
    };
    let mut object = notification.s3.object;
    object.key = decode_key(&object.key)
        .ok_or_else(|| InvalidEvent::new(format!("its key `{}` is not UTF-8", object.key)))?;
    Ok(build_event(
        notification.s3.bucket.name,
        object,
        change,
        notification.event_time,
    ))
}

/// Builds an event from the parts that both forms share.
fn build_event(
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

/// Decodes a form-encoded key: `+` is a space, `%2B` a plus. S3 encodes keys in its own
/// notifications, and in listings on request. Returns `None` for a key that is not UTF-8.
pub fn decode_key(key: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        // A `%` without two hexadecimal digits stays as it is.
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
