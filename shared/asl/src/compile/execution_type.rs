//! [`execution_type`].

use precip_core::{
    machine::{ITEMS_PER_ROW, LayoutStage},
    spec::OpSpec,
};

use super::retry;
use crate::model::ExecutionType;

/// Longest time that a stage's children may declare and still be Express, in seconds. Express
/// allows five minutes; the rest is for a lost invocation, which is retried on top.
const EXPRESS_SECONDS: f64 = 240.0;

/// Returns the kind of execution for a stage's children, each of which handles one row of items.
///
/// Express when the declared timeouts, retries and waits between them fit well inside the five
/// minutes that it allows, else Standard. An op with a pool may wait for long, so it needs
/// Standard; in a stage that runs in order the times of all items of a row add up.
///
/// `op` finds an op by its name.
pub fn execution_type<'a>(
    stage: &LayoutStage,
    op: impl Fn(&str) -> Option<&'a OpSpec>,
) -> ExecutionType {
    let mut seconds = 0.0;
    // The worst case: every step runs, and uses up its retries.
    for op in stage.steps.iter().filter_map(|step| op(&step.op)) {
        if op.pool.is_some() {
            return ExecutionType::Standard;
        }
        let (retries, waits) = match &op.retry {
            Some(policy) => (policy.max_retries, retry::total_wait_seconds(policy)),
            None => (0, 0.0),
        };
        seconds += op.compute.timeout.as_secs_f64() * (1.0 + f64::from(retries)) + waits;
    }
    // The items of a row run one after the other.
    if stage.in_order {
        seconds *= ITEMS_PER_ROW as f64;
    }
    if seconds <= EXPRESS_SECONDS {
        ExecutionType::Express
    } else {
        ExecutionType::Standard
    }
}
