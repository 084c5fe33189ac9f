//! How long the history of an execution gets.

use crate::machine::{Layout, Work};

/// The most events that work may take to be done in one execution. Step Functions ends an execution
/// at 25,000; what is between is for retries and failures.
pub const INLINE_EVENTS: usize = 15_000;

/// What a state other than a task, and what a task leaves in the history: that it was entered and
/// left; and that it was scheduled, started and ended.
const STATE: usize = 2;
const TASK: usize = 5;

impl Work {
    /// How many events the work leaves in the history of an execution that does it itself, when
    /// nothing fails: an item passes a choice for each step of its stage, whether it takes the step or
    /// not, so many items of long stages are too much even where they take few steps.
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
    pub fn inline_events(&self, layout: &Layout) -> usize {
        let of_stage = |work: &super::StageWork| {
            let steps = layout.stages[work.stage].steps.len();
            let passed = if steps == 1 { 0 } else { STATE * (steps + 1) };
            let items = work.items.iter();
            // An item's own start and end, too.
            items
                .map(|item| STATE + passed + TASK * item.steps.len())
                .sum::<usize>()
        };
        // Of a stage: the choice whether there is any, its place in a wave, and its map. Of a wave:
        // the choice of it, and what settles it.
        let around = 5 * STATE * layout.stages.len() + (TASK + STATE) * layout.waves() as usize;
        self.stages.iter().map(of_stage).sum::<usize>() + around
    }
}
