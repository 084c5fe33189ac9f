//! Triggers: sensors and schedules as data, with the pure logic behind them.
//!
//! - [`SensorSpec`] declares the events that a sensor waits for. [`KeyTemplate`] reads values from
//!   the keys of objects,
//!   [`TemplateFit`] turns them into partitions of the target, and [`EventPattern`] is the matching
//!   EventBridge pattern.
//! - [`ScheduleSpec`] declares when a schedule ticks. [`ResolvedSchedule`] combines it with the
//!   assets of a project: the ticks that are due, and the partitions of a tick.
//!   [`scheduler_expressions`] translates it for EventBridge Scheduler.
//! - [`ObjectEvent`] is a change of an object in S3, independent of the form of the message.

mod common;
mod event_pattern;
mod fit;
mod object_event;
mod schedule;
mod sensor;
mod template;
mod wait;
mod wire;

pub use common::{DefaultStatus, InvalidTrigger};
pub use event_pattern::{EventPattern, InvalidEventPattern, MAX_PATTERN_CHARACTERS};
pub use fit::{KeyReading, NoPartitionError, TemplateFit, TemplateFitError};
pub use object_event::{ObjectChange, ObjectEvent, newer_sequencer};
pub use schedule::{
    CatchUp, DueTicks, Guard, MAX_DUE_TICKS, ResolvedSchedule, ScheduleSpec, ScheduleTiming,
    SchedulerExpression, SchedulerExpressions, UnsupportedCronError, scheduler_expressions,
};
pub use sensor::{
    Bucket, MonitoredStatus, ObjectFilter, ObjectSensor, Require, SensorSource, SensorSpec,
};
pub use template::{Captured, InvalidKeyTemplate, KeyTemplate, KeyValues};
pub use wait::may_wait_for_upstream;
pub use wire::{InvalidEvent, MessageEvents, decode_key, read_events};

#[cfg(test)]
mod tests;
