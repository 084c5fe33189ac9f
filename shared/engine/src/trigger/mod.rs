//! What starts runs: sensors, schedules and automation, evaluated.
//!
//! Every evaluation goes the same way, and may be invoked twice, late, out of order and in parallel:
//!
//! 1. The trigger's state is read. Runs that its last tick requested and nobody launched are launched
//!    first: whoever requested them may have died.
//! 2. What to request is decided from that state alone.
//! 3. [`TriggerStore::advance`](crate::state::TriggerStore::advance) moves the cursor and creates the
//!    runs in one step, if nobody else did meanwhile; otherwise it begins again at 1.
//! 4. The runs are launched ([`RunLauncher`]).
//!
//! So a run is requested once, and one that is requested is launched, as long as the trigger is
//! invoked again at some time: an event that was not acknowledged comes again, a schedule ticks again,
//! and a sweep comes by.

mod assets;
mod automation;
mod context;
mod control;
mod definition;
mod error;
mod function;
mod invocation;
mod listing;
mod memory;
mod messages;
mod objects;
mod ports;
mod request;
mod runs;
mod schedule;
mod sweep;
mod text;

pub use assets::evaluate_assets;
pub(crate) use assets::evaluate_updates;
pub use automation::{AutomationRuns, run_automation};
pub use context::{
    ScheduleContext, ScheduleContextBuilder, SensorContext, SensorContextBuilder, SensorEvent,
    WrongEvent,
};
pub use control::{TriggerStatus, reset_cursor, schedule_id, sensor_id, status, turn};
pub use definition::{ScheduleDefinition, SensorDefinition, read_bucket};
pub use error::TriggerError;
pub use function::{ScheduleFn, SensorFn, TriggerFuture};
pub use invocation::{
    InvalidInvocation, Invocation, QUEUE_INFIX, SweepCall, TickCall, sensor_of_queue,
};
pub use listing::{ListedObject, ObjectListing, ObjectPage};
pub use memory::MAX_REMEMBERED;
pub use messages::{Delivered, evaluate_messages};
pub use objects::{Decision, ObjectOptions, SensorOutcome, evaluate_objects, preview_objects};
pub use ports::{RunLauncher, TriggerPorts};
pub use request::{IntoSensorResult, RunRequest, SensorResult, Skip};
pub use runs::evaluate_run;
pub use schedule::{ScheduleOutcome, evaluate_schedule};
pub use sweep::{SweepOptions, Swept, sweep};
pub use text::partitions_text;

#[cfg(test)]
pub(crate) mod tests;
