//! Evaluation of the triggers that start runs: sensors, schedules and automation.
//!
//! Every evaluation has the same steps, and may be invoked repeatedly, late, out of order and
//! concurrently:
//!
//! 1. The trigger's state is read. Runs that its last tick requested and that are still queued are
//!    launched first: the process that requested them may have died.
//! 2. The requests are decided from that state alone.
//! 3. A tick moves the cursor and creates the runs in one transaction of the
//!    [`TriggerStore`](crate::state::TriggerStore), unless a concurrent evaluation moved the cursor;
//!    then the evaluation starts again at 1.
//! 4. The runs are launched ([`RunLauncher`]).
//!
//! So each run is requested once, and every requested run is launched as long as the trigger is
//! invoked again at some time: an event that was not acknowledged is delivered again, a schedule ticks
//! again, and a sweep follows.

mod assets;
mod automation;
mod context;
mod control;
mod definition;
mod error;
mod function;
mod invocation;
mod listed;
mod listing;
mod memory;
mod messages;
mod new_run;
mod objects;
mod ports;
mod request;
mod runs;
mod schedule;
mod sweep;
mod text;
mod waiting;

pub use assets::evaluate_assets;
pub(crate) use assets::evaluate_updates;
pub use automation::{AutomationRuns, run_automation};
pub use context::{
    ScheduleContext, ScheduleContextBuilder, SensorContext, SensorContextBuilder, SensorEvent,
    WrongEvent,
};
pub use control::{
    TriggerStatus, reset_cursor, schedule_id, sensor_id, switch_trigger, trigger_status,
};
pub use definition::{ScheduleDefinition, SensorDefinition, read_bucket};
pub use error::TriggerError;
pub use function::{
    FunctionCall, FunctionRunner, InlineFunctionRunner, ScheduleFn, SensorFn, TriggerFuture,
};
pub use invocation::{
    InvalidInvocation, Invocation, QUEUE_INFIX, SweepCall, TickCall, sensor_of_queue,
};
pub use listing::{ListedObject, ObjectListing, ObjectPage};
pub use memory::MAX_REMEMBERED;
pub use messages::{DeliveryOutcome, evaluate_messages};
pub use objects::{Decision, ObjectOptions, SensorOutcome, evaluate_objects, preview_objects};
pub use ports::{RunLauncher, TriggerPorts};
pub use request::{IntoSensorResult, RunRequest, SensorResult, Skip};
pub use runs::evaluate_run;
pub use schedule::{ScheduleOutcome, evaluate_schedule};
pub use sweep::{SweepOptions, SweepOutcome, sweep_bucket};
pub use text::partitions_text;
pub use waiting::{PatientLauncher, launch_waiting_runs, waiting_trigger};

#[cfg(test)]
pub(crate) mod tests;
