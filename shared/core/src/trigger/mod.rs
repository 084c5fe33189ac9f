//! What starts runs, as data: sensors and schedules, and what can be decided of them without looking
//! at anything.
//!
//! - [`SensorSpec`] says what a sensor waits for. [`KeyTemplate`] reads partitions out of the keys of
//!   objects, [`TemplateFit`] fits them to what the sensor makes, and [`EventPattern`] is the same
//!   question in the language of EventBridge.
//! - [`ScheduleSpec`] says when a schedule ticks; [`Ticking`] is one put to the assets of a project:
//!   which ticks are due, and which partitions one is about. [`scheduler_expressions`] is the same in
//!   the language of EventBridge Scheduler.
//! - [`ObjectEvent`] is what S3 says of an object, whichever way the message came.

mod common;
mod event_pattern;
mod fit;
mod object_event;
mod schedule;
mod sensor;
mod template;
mod wire;

pub use common::{DefaultStatus, InvalidTrigger};
pub use event_pattern::{EventPattern, InvalidEventPattern, MAX_PATTERN_CHARACTERS};
pub use fit::{MadeKey, Misfit, NoPartition, TemplateFit};
pub use object_event::{ObjectChange, ObjectEvent, newer_sequencer};
pub use schedule::{
    CatchUp, Due, Guard, MAX_DUE_TICKS, ScheduleSpec, ScheduleTiming, SchedulerExpression,
    SchedulerExpressions, Ticking, Untranslatable, scheduler_expressions,
};
pub use sensor::{
    Bucket, MonitoredStatus, ObjectFilter, ObjectSensor, Require, SensorSource, SensorSpec,
};
pub use template::{Captured, InvalidKeyTemplate, KeyTemplate, KeyValues};
pub use wire::{InvalidEvent, MessageEvents, decode_key, read_events};

#[cfg(test)]
mod tests;
