//! [`execution_type`].

use precip_core::{
    machine::{ITEMS_PER_ROW, LayoutStage},
    spec::OpSpec,
};

use super::retry;
use crate::model::ExecutionType;

/// How long the children of a stage may take for Express, in seconds: well inside its five minutes,
/// since a lost invocation is tried again on top of it.
const EXPRESS_SECONDS: f64 = 240.0;

/// What kind of execution a stage's children are, each of which has a row of items: Express when
/// what the ops declare (timeouts, retries and the waits between them) fits well inside the five
/// minutes that it may take, else Standard. An op with a pool may wait for long, and the items of a
/// stage that runs in order wait for each other.
///
/// `op` finds an op by its name.
pub fn execution_type<'a>(
    stage: &LayoutStage,
    op: impl Fn(&str) -> Option<&'a OpSpec>,
) -> ExecutionType {
    let mut seconds = 0.0;
    for op in stage.steps.iter().filter_map(|step| op(&step.op)) {
        if op.pool.is_some() {
            return ExecutionType::Standard;
        }
        let (retries, waits) = match &op.retry {
            Some(policy) => (policy.max_retries, retry::longest_waits(policy)),
            None => (0, 0.0),
        };
        seconds += op.compute.timeout.as_secs_f64() * (1.0 + f64::from(retries)) + waits;
    }
    if stage.in_order {
        seconds *= ITEMS_PER_ROW as f64;
    }
    match seconds <= EXPRESS_SECONDS {
        true => ExecutionType::Express,
        false => ExecutionType::Standard,
    }
}
