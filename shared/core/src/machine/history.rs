//! The length of an execution's history.

use crate::{
    graph::AssetGraph,
    machine::{Item, Layout, LayoutStage, Work},
};

/// The largest number of events for which work runs in one execution, however often its ops fail. Step
/// Functions ends an execution at 25,000 events, and one that reached them cannot be redriven; the rest is
/// left for errors of the platform.
pub const INLINE_EVENTS: usize = 15_000;

/// Retries of a task that waits for a slot of its pool. A row of 40 items that all use them up leaves 19,200
/// events in its history.
pub const POOL_RETRIES: u32 = 160;

/// Events that a state other than a task leaves in the history: entered and exited.
const STATE: usize = 2;
/// Events that a task leaves in the history: entered, scheduled, started, succeeded and exited.
const TASK: usize = 5;
/// Events that each further attempt of a task leaves: scheduled, started and failed.
const ATTEMPT: usize = 3;

impl Work {
    /// Returns the largest number of events that the work can leave in the history of an execution that
    /// runs it inline: when its ops use up their retries, and then fail.
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
    pub fn inline_events(&self, layout: &Layout, graph: &AssetGraph) -> usize {
        let of_stage = |work: &super::StageWork| {
            let stage = &layout.stages[work.stage];
            let items = work.items.iter();
            items
                .map(|item| stage.most_events(item, graph))
                .sum::<usize>()
        };
        // A stage: the choice whether it has items, its branch of the wave, and its map. A wave:
        // its choice, and the `Settle` task that drops what depends on failures.
        // The machine itself: its start and end, and the states that ask for the account's concurrency, plan
        // and finish.
        let around = 5 * STATE * layout.stages.len()
            + (TASK + STATE) * layout.wave_count() as usize
            + 3 * TASK
            + 4 * STATE;
        self.stages.iter().map(of_stage).sum::<usize>() + around
    }
}

impl LayoutStage {
    /// Returns the largest number of events that an item can leave in the history of the execution that
    /// runs it. The item passes a choice for each step of its stage, whether it takes the step or not, and
    /// all of them again after a failure.
    pub(super) fn most_events(&self, item: &Item, graph: &AssetGraph) -> usize {
        let choices = match self.steps.len() {
            1 => 0,
            steps => STATE * (steps + 1),
        };
        let taken = self
            .steps
            .iter()
            .filter(|step| item.steps.contains_key(&step.name));
        let attempts = taken.filter_map(|step| graph.op_named(&step.op)).map(|op| {
            let policy = op.retry.as_ref().map_or(0, |policy| policy.max_retries);
            let waits = op.pool.as_ref().map_or(0, |_| POOL_RETRIES);
            TASK + ATTEMPT * (policy + waits) as usize
        });
        // The item's own start and end, its tasks, and a task for each failure that is recorded.
        STATE + choices + attempts.sum::<usize>() + (TASK + choices) * self.most_failures(item)
    }

    /// Returns an upper bound of the steps that can fail for an item: a step that comes after a failed one
    /// is not tried, so of each chain of steps at most one fails.
    fn most_failures(&self, item: &Item) -> usize {
        let mut longest = vec![0_usize; self.steps.len()];
        let mut taken = 0;
        for (index, step) in self.steps.iter().enumerate() {
            let before = step.after.iter().map(|before| longest[*before]).max();
            longest[index] = before.unwrap_or_default();
            if item.steps.contains_key(&step.name) {
                longest[index] += 1;
                taken += 1;
            }
        }
        let chain = longest.into_iter().max().unwrap_or_default();
        (taken + 1_usize).saturating_sub(chain.max(1))
    }
}
