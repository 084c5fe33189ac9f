//! [`execution_type`].

use precip_core::{
    machine::{ITEMS_PER_ROW, LayoutStage},
    spec::OpSpec,
};

use super::{
    compiler::{Compiler, Mode},
    retry::{self, Patience},
};
use crate::model::ExecutionType;

/// Longest time that a stage's children may declare and still be Express, in seconds. Express
/// allows five minutes; the rest is for throttled and lost invocations, which are retried on top.
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
    match declared_seconds(stage, op) {
        Some(seconds) if seconds <= EXPRESS_SECONDS => ExecutionType::Express,
        _ => ExecutionType::Standard,
    }
}

impl Compiler<'_> {
    /// Returns the patience of a stage's tasks with throttled calls.
    pub(super) fn patience(&self, stage: &LayoutStage) -> Patience {
        let declared = declared_seconds(stage, |op| self.op_named(op));
        match declared.filter(|seconds| *seconds <= EXPRESS_SECONDS) {
            Some(seconds) if self.mode == Mode::Distributed => Patience::express(seconds),
            _ => Patience::STANDARD,
        }
    }
}

/// Returns the longest time that the ops of a stage's child declare, in seconds; `None` when there is no
/// limit, since one waits for a pool.
fn declared_seconds<'a>(
    stage: &LayoutStage,
    op: impl Fn(&str) -> Option<&'a OpSpec>,
) -> Option<f64> {
    let mut seconds = 0.0;
    // The worst case: every step runs, and uses up its retries.
    for op in stage.steps.iter().filter_map(|step| op(&step.op)) {
        if op.pool.is_some() {
            return None;
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
    Some(seconds)
}
