//! The length of an execution's history.

use crate::machine::{Layout, Work};

/// The largest number of events for which work runs in one execution. Step Functions ends an
/// execution at 25,000 events; the rest is left for retries and failures.
pub const INLINE_EVENTS: usize = 15_000;

/// Events that a state other than a task leaves in the history: entered and exited.
const STATE: usize = 2;
/// Events that a task leaves in the history: entered, scheduled, started, succeeded and exited.
const TASK: usize = 5;

impl Work {
    /// Returns the number of events that the work leaves in the history of an execution that runs
    /// it inline, when nothing fails. An item passes a choice for each step of its stage, whether
    /// it takes the step or not, so that many items of long stages exceed the limit even with few
    /// steps each. <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
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
        // A stage: the choice whether it has items, its branch of the wave, and its map. A wave:
        // its choice, and the `Settle` task that drops what depends on failures.
        let around =
            5 * STATE * layout.stages.len() + (TASK + STATE) * layout.wave_count() as usize;
        self.stages.iter().map(of_stage).sum::<usize>() + around
    }
}
