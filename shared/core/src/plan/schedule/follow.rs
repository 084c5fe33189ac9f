//! [`Schedule`] itself.

use std::{cmp::Reverse, collections::BTreeSet, ops::Bound};

use crate::{
    graph::Edge,
    mapping::{InvalidMapping, PartitionMapping},
    partitions::PartitionSet,
    plan::{
        Lineage, Plan, PlanError, StepId, batches,
        node::{Nodes, of_step},
        schedule::{
            Tally,
            batching::Batches,
            release::{Link, free, is_batch_free},
            work::Work,
        },
    },
    spec::BackfillPolicy,
};

/// A plan under way: which batches can run, given what has succeeded and what has failed so far.
///
/// Every partition of every step is handed out at most once, after everything in the plan that it is
/// made from has succeeded (blocking checks included). What depends on a failure is never handed
/// out. When nothing is running and nothing can run, the plan is at its end.
///
/// The schedule does no I/O and knows no time: who runs a batch, and how, is the caller's affair.
#[derive(Debug, Clone)]
pub struct Schedule {
    steps: Vec<StepId>,
    work: Vec<Work>,
    links: Vec<Link>,
    /// The links of each step to what it waits for, without those of `itself`.
    above: Vec<Vec<usize>>,
    /// The links of each step to what waits for it.
    below: Vec<Vec<usize>>,
    /// The links of a batched step to itself, and to the checks of what it makes.
    itself: Vec<Vec<usize>>,
    /// The steps that may have something to hand out, the last first: what is nearest to the end
    /// runs first, so that few partitions are half done at a time.
    active: BTreeSet<Reverse<usize>>,
}

/// Something that can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// The step.
    pub step: StepId,
    /// The partitions: one, or a batch.
    pub partitions: PartitionSet,
}

/// Partitions of a step that will not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The step.
    pub step: StepId,
    /// The partitions.
    pub partitions: PartitionSet,
}

impl Schedule {
    /// A plan of which nothing has run yet.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the graph does not hold.
    pub fn new(lineage: Lineage<'_>, plan: &Plan) -> Result<Self, PlanError> {
        let graph = lineage.graph;
        let mut steps = Vec::new();
        let mut nodes = Vec::new();
        let mut work = Vec::new();
        for (id, stage, step) in plan.steps() {
            let node = of_step(graph, step, stage.partitions.clone())?;
            let definition = graph.partitions(node.divided_like);
            let batches = match stage.batching {
                BackfillPolicy::PerPartition => None,
                policy => {
                    let batches = batches(policy, definition, &stage.partitions, lineage.context);
                    Some(Batches::new(batches))
                }
            };
            steps.push(id);
            work.push(Work::new(stage.partitions.clone(), batches));
            nodes.push(node);
        }
        let nodes = Nodes::new(lineage, nodes);
        let mut schedule = Self {
            above: vec![Vec::new(); steps.len()],
            below: vec![Vec::new(); steps.len()],
            itself: vec![Vec::new(); steps.len()],
            links: Vec::new(),
            active: BTreeSet::new(),
            steps,
            work,
        };
        schedule.link(lineage, &nodes);
        for place in 0..schedule.work.len() {
            let all = schedule.work[place].waiting.clone();
            schedule.release(lineage, place, &all)?;
        }
        Ok(schedule)
    }

    fn link(&mut self, lineage: Lineage<'_>, nodes: &Nodes) {
        for (waiting, waits) in nodes.waits.iter().enumerate() {
            for wait in waits {
                let to = |asset| Edge {
                    asset,
                    mapping: wait.mapping.clone(),
                };
                let up = (wait.downstream, to(wait.upstream));
                let one_to_one =
                    wait.upstream == wait.downstream && wait.on != waiting && !wait.earlier
                        || lineage.is_one_to_one(up.0, &up.1);
                if wait.on == waiting && one_to_one {
                    // Assets of one op, made together.
                    continue;
                }
                let divided = |asset| lineage.graph.partitions(asset).is_some();
                let reads_few = matches!(
                    wait.mapping,
                    PartitionMapping::Last | PartitionMapping::Specific { .. }
                );
                let all_at_once = wait.mapping == PartitionMapping::All
                    || divided(wait.upstream) != divided(wait.downstream) && !reads_few;
                let place = self.links.len();
                self.links.push(Link {
                    all_at_once: all_at_once && !one_to_one,
                    on: wait.on,
                    waiting,
                    up,
                    down: (wait.upstream, to(wait.downstream)),
                    one_to_one,
                });
                self.below[wait.on].push(place);
                let earlier = wait.on == waiting || wait.earlier;
                if earlier && self.work[waiting].batches.is_some() {
                    self.itself[waiting].push(place);
                } else {
                    self.above[waiting].push(place);
                }
            }
        }
    }

    /// Takes something that can run, of the steps that `allowed` admits; `None` when there is none
    /// right now. Whatever is taken has to be [settled](Self::settle).
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn next(
        &mut self,
        lineage: Lineage<'_>,
        mut allowed: impl FnMut(StepId) -> bool,
    ) -> Result<Option<Ready>, InvalidMapping> {
        let mut after = Bound::Unbounded;
        while let Some(&Reverse(place)) = self.active.range((after, Bound::Unbounded)).next() {
            after = Bound::Excluded(Reverse(place));
            if !allowed(self.steps[place]) {
                continue;
            }
            if let Some(partitions) = self.take(lineage, place)? {
                self.work[place].ready -= &partitions;
                self.work[place].running |= &partitions;
                if self.work[place].ready.is_empty() {
                    self.active.remove(&Reverse(place));
                }
                return Ok(Some(Ready {
                    step: self.steps[place],
                    partitions,
                }));
            }
        }
        Ok(None)
    }

    fn take(
        &mut self,
        lineage: Lineage<'_>,
        place: usize,
    ) -> Result<Option<PartitionSet>, InvalidMapping> {
        let work = &self.work[place];
        let Some(batches) = &work.batches else {
            return Ok(work.ready.first().map(PartitionSet::single));
        };
        let itself: Vec<&Link> = self.itself[place].iter().map(|l| &self.links[*l]).collect();
        let mut found = None;
        for (batch, partitions) in batches.complete() {
            if is_batch_free(lineage, &self.work, &itself, partitions)? {
                found = Some(batch);
                break;
            }
        }
        let batches = self.work[place].batches.as_mut();
        Ok(found
            .zip(batches)
            .map(|(batch, batches)| batches.take(batch)))
    }

    /// Puts down how partitions ended that were taken, or (for a run that is taken up again) that
    /// ended earlier. Answers what will not run because of those that failed.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn settle(
        &mut self,
        lineage: Lineage<'_>,
        step: StepId,
        succeeded: &PartitionSet,
        failed: &PartitionSet,
    ) -> Result<Vec<Held>, InvalidMapping> {
        let Ok(place) = self.steps.binary_search(&step) else {
            return Ok(Vec::new());
        };
        let settled = succeeded | failed;
        let work = &mut self.work[place];
        if !settled.is_subset(&work.running) {
            let early = &settled - &work.running;
            work.hold(&early);
            work.held -= &early;
        }
        work.running -= &settled;
        work.done |= succeeded;
        work.failed |= failed;
        let held = self.hold_below(lineage, place, failed)?;
        self.release_below(lineage, place, succeeded)?;
        Ok(held)
    }

    /// Puts down that something that was taken did not run after all, and will not.
    pub fn give_up(&mut self, step: StepId, partitions: &PartitionSet) {
        if let Ok(place) = self.steps.binary_search(&step) {
            let work = &mut self.work[place];
            let given_up = &work.running & partitions;
            work.running -= &given_up;
            work.held |= &given_up;
        }
    }

    /// Hands nothing more out: what is not running yet is given up. Answers it.
    pub fn cancel(&mut self) -> Vec<Held> {
        self.active.clear();
        let mut all = Vec::new();
        for (work, step) in self.work.iter_mut().zip(&self.steps) {
            let everything = work.target.clone();
            let partitions = work.hold(&everything);
            if !partitions.is_empty() {
                all.push(Held {
                    step: *step,
                    partitions,
                });
            }
        }
        all
    }

    fn hold_below(
        &mut self,
        lineage: Lineage<'_>,
        place: usize,
        failed: &PartitionSet,
    ) -> Result<Vec<Held>, InvalidMapping> {
        let mut all: Vec<Held> = Vec::new();
        let mut front = vec![(place, failed.clone())];
        while let Some((place, set)) = front.pop() {
            if set.is_empty() {
                continue;
            }
            for &link in &self.below[place] {
                let link = &self.links[link];
                let below = link.below(lineage, &set)?;
                let waiting = link.waiting;
                let held = self.work[waiting].hold(&below);
                if held.is_empty() {
                    continue;
                }
                if self.work[waiting].ready.is_empty() {
                    self.active.remove(&Reverse(waiting));
                }
                let step = self.steps[waiting];
                match all.iter_mut().find(|other| other.step == step) {
                    Some(other) => other.partitions |= &held,
                    None => all.push(Held {
                        step,
                        partitions: held.clone(),
                    }),
                }
                front.push((waiting, held));
            }
        }
        Ok(all)
    }

    fn release_below(
        &mut self,
        lineage: Lineage<'_>,
        place: usize,
        succeeded: &PartitionSet,
    ) -> Result<(), InvalidMapping> {
        for index in 0..self.below[place].len() {
            let link = &self.links[self.below[place][index]];
            let waiting = link.waiting;
            let candidates = if !link.all_at_once {
                &link.below(lineage, succeeded)? & &self.work[waiting].waiting
            } else if self.work[place].unsettled_len() == 0 {
                self.work[waiting].waiting.clone()
            } else {
                continue;
            };
            self.release(lineage, waiting, &candidates)?;
        }
        Ok(())
    }

    fn release(
        &mut self,
        lineage: Lineage<'_>,
        place: usize,
        candidates: &PartitionSet,
    ) -> Result<(), InvalidMapping> {
        let links: Vec<&Link> = self.above[place].iter().map(|l| &self.links[*l]).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let free = free(lineage, &self.work, &links, candidates)?;
        if !free.is_empty() {
            self.work[place].release(&free);
            self.active.insert(Reverse(place));
        }
        Ok(())
    }

    /// Whether nothing is running and nothing can run.
    pub fn is_finished(&self) -> bool {
        self.work.iter().all(|work| work.unsettled_len() == 0)
    }

    /// How far the plan is.
    pub fn tally(&self) -> Tally {
        self.work
            .iter()
            .map(Work::tally)
            .fold(Tally::default(), |all, one| Tally {
                total: all.total + one.total,
                running: all.running + one.running,
                succeeded: all.succeeded + one.succeeded,
                failed: all.failed + one.failed,
                held: all.held + one.held,
            })
    }

    /// How far one step is.
    pub fn step(&self, step: StepId) -> Tally {
        let place = self.steps.binary_search(&step);
        place
            .map(|place| self.work[place].tally())
            .unwrap_or_default()
    }

    /// The partitions of a step that failed, and those that were given up.
    pub fn lost(&self, step: StepId) -> Option<(&PartitionSet, &PartitionSet)> {
        let place = self.steps.binary_search(&step).ok()?;
        let work = &self.work[place];
        Some((&work.failed, &work.held))
    }
}
