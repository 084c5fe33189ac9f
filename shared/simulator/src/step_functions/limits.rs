//! The quotas of Step Functions, and the faults that a simulation adds.

use std::time::Duration;

/// The quotas of Step Functions. The defaults are those of AWS's documentation; a simulation may lower
/// them.
///
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Events in the history of a Standard execution.
    pub history_events: u64,
    /// Bytes of the input or output of a state, as JSON.
    pub payload_bytes: usize,
    /// Iterations of an inline map that run at once.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html>
    pub inline_iterations: usize,
    /// Child executions of a distributed map that run at once.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>
    pub children: usize,
    /// Express children that start in a second, of all maps together.
    pub express_starts_per_second: f64,
    /// Standard children that start in a second, of all maps together.
    pub standard_starts_per_second: f64,
    /// The longest time of an Express execution.
    pub express_duration: Duration,
    /// The time within which an execution can be redriven, and its name is taken.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>
    pub redrive_period: Duration,
    /// The time for which the name of an ended execution is taken.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
    pub name_period: Duration,
    /// The time that entering a state takes in a Standard execution. AWS documents none; the default is
    /// zero.
    pub standard_transition: Duration,
    /// The time that entering a state takes in an Express execution.
    pub express_transition: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            history_events: 25_000,
            payload_bytes: 256 * 1024,
            inline_iterations: 40,
            children: 10_000,
            express_starts_per_second: 1_000.0,
            standard_starts_per_second: 100.0,
            express_duration: Duration::from_secs(300),
            redrive_period: Duration::from_secs(14 * DAY),
            name_period: Duration::from_secs(90 * DAY),
            standard_transition: Duration::ZERO,
            express_transition: Duration::ZERO,
        }
    }
}

/// The faults of Step Functions itself, within its guarantees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// One Express child in so many runs twice; none if it is 0. Express executions run at least once.
    ///
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html>
    pub doubled_child_one_in: u32,
}
