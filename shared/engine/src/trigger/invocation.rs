//! [`Invocation`]: the payload of the function of sensors and schedules.

use chrono::{DateTime, Utc};
use precip_core::trigger::{InvalidEvent, MessageEvents, read_events};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The text between the names of the deployment and the sensor in the name of a sensor's queue.
pub const QUEUE_INFIX: &str = "-sensor-";

/// The payload of the function of sensors and schedules.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Events of objects, from a queue or sent directly.
    Objects {
        /// ARN of the queue that they come from.
        queue: Option<String>,
        /// The events of each message.
        messages: Vec<MessageEvents>,
    },
    /// A tick of a schedule.
    Tick(TickCall),
    /// A sweep of buckets.
    Sweep(SweepCall),
}

/// A tick of a schedule: the payload that EventBridge Scheduler sends, with its context attributes.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickCall {
    /// Name of the schedule.
    pub schedule: String,
    /// The tick. `None` after a clock change: then all due ticks are handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Id of the invocation, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Number of the invocation's attempt, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// A sweep of buckets for objects whose events were missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepCall {
    /// The sensor whose bucket is swept; `*` for all sensors.
    pub sweep: String,
    /// Age in seconds below which objects are left to their events. The default is five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u32>,
}

/// A payload that the function does not know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidInvocation {
    /// The payload is not an event of S3.
    #[error(
        "{0}; a schedule ticks with `{{\"schedule\": \"NAME\"}}`, and a sweep begins with \
         `{{\"sweep\": \"*\"}}`"
    )]
    Event(#[from] InvalidEvent),
    /// The payload of a tick or sweep cannot be parsed.
    #[error("the call cannot be read: {0}")]
    Form(#[from] serde_json::Error),
}

impl Invocation {
    /// Parses a payload. A message that cannot be parsed is reported on its own; the others are kept.
    ///
    /// # Errors
    /// [`InvalidInvocation`] when the payload as a whole is of none of these forms.
    pub fn from_payload(payload: &Value) -> Result<Self, InvalidInvocation> {
        if payload.get("schedule").is_some() {
            return Ok(Self::Tick(TickCall::deserialize(payload)?));
        }
        if payload.get("sweep").is_some() {
            return Ok(Self::Sweep(SweepCall::deserialize(payload)?));
        }
        // All records of a batch come from one queue.
        let queue = payload.pointer("/Records/0/eventSourceARN");
        Ok(Self::Objects {
            queue: queue.and_then(Value::as_str).map(str::to_owned),
            messages: read_events(payload)?,
        })
    }
}

/// Returns the sensor of a queue, by the name that the generated template gives queues:
/// `{deployment}-sensor-{name}`. `None` for any other queue.
///
/// ```
/// use precip_engine::trigger::sensor_of_queue;
///
/// let queue = "arn:aws:sqs:us-east-1:123456789012:flights-sensor-landing_flights";
/// assert_eq!(sensor_of_queue(queue), Some("landing_flights"));
/// ```
pub fn sensor_of_queue(arn: &str) -> Option<&str> {
    let name = arn.rsplit(':').next()?;
    // Names of sensors have no `-`.
    name.rsplit_once(QUEUE_INFIX).map(|(_, sensor)| sensor)
}
