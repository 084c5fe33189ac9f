//! The assumptions of a simulation.

use std::time::Duration;

/// The planner's memory, and its duration per call.
pub(super) const PLANNER_MIB: u32 = 1_024;
pub(super) const PLANNER_TIME: Duration = Duration::from_secs(1);
/// The planner's timeout: that of the compiled machines.
pub(super) const PLANNER_TIMEOUT: Duration = Duration::from_secs(300);

/// The reactor's memory, and its duration per batch of changes.
pub(super) const REACTOR_MIB: u32 = 512;
pub(super) const REACTOR_TIME: Duration = Duration::from_millis(500);
pub(super) const REACTOR_TIMEOUT: Duration = Duration::from_secs(120);
/// Changes that the reactor takes at once, as deployed.
pub(super) const REACTOR_BATCH: usize = 200;

/// Time of a materializer's function beyond its op's timeout, as deployed.
pub(super) const FUNCTION_MARGIN: Duration = Duration::from_secs(10);

/// Shards of the stream of a new table: one for each 1,000 of its 4,000 write units.
pub(super) const SHARDS: u64 = 4;

/// Writes of a run's own record: when it is planned, for each wave, and at its end.
pub(super) const WRITES_OF_A_PLAN: f64 = 4.0;
pub(super) const WRITES_OF_A_WAVE: f64 = 2.0;
pub(super) const WRITES_OF_AN_END: f64 = 2.0;
/// Read units for the partition states of one step's assets.
pub(super) const READS_OF_A_STEP: f64 = 10.0;
/// Read units of one eventually consistent row: the partition's own, and each upstream pointer.
pub(super) const READS_OF_A_ROW: f64 = 0.5;
/// Writes of a check's result that is not published with its partition: history, and latest result.
pub(super) const WRITES_OF_A_CHECK: f64 = 2.0;
/// Writes of a failure: the mark, the event, and the run's two rows, in a transaction.
pub(super) const WRITES_OF_A_FAILURE: f64 = 8.0;

/// Buckets that the rows of an asset are spread over, as in the table.
pub(super) const BUCKETS: u64 = 16;
/// Partitions in one row of a status bitmap, as in the table.
pub(super) const SEGMENT: u64 = 4_096;

/// Bytes of logs of an invocation: two lines of JSON, and CloudWatch's 26 bytes for each.
///
/// <https://aws.amazon.com/cloudwatch/pricing/>
pub(super) const LOG_BYTES: u32 = 700;

/// X-Ray's default rule: the first request of each second, and 5% of the others.
///
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html>
pub(super) const TRACED_SHARE: f64 = 0.05;
