//! [`Invocation`]: what the function of sensors and schedules is called with.

use chrono::{DateTime, Utc};
use precip_core::trigger::{InvalidEvent, MessageEvents, read_events};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands between the name of a deployment and that of a sensor in the name of the sensor's queue.
pub const QUEUE_INFIX: &str = "-sensor-";

/// What the function of sensors and schedules is called with.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// Events of objects, from a queue or by themselves.
    Objects {
        /// The queue that they waited in, by its ARN.
        queue: Option<String>,
        /// Message by message.
        messages: Vec<MessageEvents>,
    },
    /// A schedule ticks.
    Tick(TickCall),
    /// Buckets are to be looked through.
    Sweep(SweepCall),
}

/// A schedule ticks. What EventBridge Scheduler is told to send, its context attributes filled in.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickCall {
    /// The schedule.
    pub schedule: String,
    /// The tick. None where the clock has just changed: a look at what is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<DateTime<Utc>>,
    /// The invocation by its id, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// Which attempt of the invocation it is, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// Buckets are to be looked through for what no event told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepCall {
    /// The sensor whose bucket it is; `*` for all of them.
    pub sweep: String,
    /// Objects that are younger, in seconds, are left to their events. Five minutes unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u32>,
}

/// A call that is of no form that the function knows.
#[derive(Debug, thiserror::Error)]
pub enum InvalidInvocation {
    /// It is no event of S3.
    #[error(
        "{0}; a schedule ticks with `{{\"schedule\": \"NAME\"}}`, and a sweep begins with \
         `{{\"sweep\": \"*\"}}`"
    )]
    Event(#[from] InvalidEvent),
    /// It is about a schedule or a sweep, and cannot be read.
    #[error("the call cannot be read: {0}")]
    Form(#[from] serde_json::Error),
}

impl Invocation {
    /// Reads a call. A message that is no event is told by itself, and harms no other.
    ///
    /// # Errors
    /// [`InvalidInvocation`] when the whole is none of these.
    pub fn read(payload: &Value) -> Result<Self, InvalidInvocation> {
        if payload.get("schedule").is_some() {
            return Ok(Self::Tick(TickCall::deserialize(payload)?));
        }
        if payload.get("sweep").is_some() {
            return Ok(Self::Sweep(SweepCall::deserialize(payload)?));
        }
        let queue = payload.pointer("/Records/0/eventSourceARN");
        Ok(Self::Objects {
            queue: queue.and_then(Value::as_str).map(str::to_owned),
            messages: read_events(payload)?,
        })
    }
}

/// The sensor that a queue is of, as the generated template names queues: `{deployment}-sensor-{name}`.
/// `None` for another queue.
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
