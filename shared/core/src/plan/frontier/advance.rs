//! [`Frontier`]: dispatching partitions and recording their outcomes.

use std::{cmp::Reverse, collections::BTreeSet, ops::Bound};

use crate::{
    graph::Edge,
    key::AssetKey,
    mapping::{InvalidMapping, PartitionMapping},
    partitions::PartitionSet,
    plan::{
        Lineage, Plan, PlanError, StepId, divide_into_batches,
        frontier::{
            Loss, LossCause, StepOutcome, Tally,
            batching::Batches,
            link::{Link, free_candidates, is_batch_free},
            progress::StepProgress,
        },
        node::{Nodes, node_of_step},
    },
    spec::BackfillPolicy,
};

/// The batches of a plan that can run, given what has succeeded and what has failed so far.
///
/// Every partition of every step is dispatched at most once, after everything in the plan that it
/// depends on has succeeded (blocking checks included). Partitions that depend on a failure are held
/// back, and partitions that need something that is skipped are skipped. The plan has ended when
/// nothing is running and nothing can run.
///
/// The frontier does no I/O and reads no clock: the caller runs the batches and records their
/// outcomes.
#[derive(Debug, Clone)]
pub struct Frontier {
    steps: Vec<StepId>,
    work: Vec<StepProgress>,
    links: Vec<Link>,
    /// For each step, the indices of its links to the steps it waits for, without those in
    /// `own_links`.
    above: Vec<Vec<usize>>,
    /// For each step, the indices of the links from the steps that wait for it.
    below: Vec<Vec<usize>>,
    /// For each batched step, the indices of its links to its own earlier partitions and to their
    /// checks.
    own_links: Vec<Vec<usize>>,
    /// The steps that may have something to dispatch, the last first: the step nearest to the end
    /// runs first, so that few partitions are half done at a time.
    active: BTreeSet<Reverse<usize>>,
}

/// A partition or batch that can run.
#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    /// The step.
    pub step: StepId,
    /// One partition, or the partitions of a batch.
    pub partitions: PartitionSet,
}

/// Partitions of a step that will not run: held back because of a failure, or skipped because they
/// need something that is skipped.
#[derive(Debug, Clone, PartialEq)]
pub struct Withheld {
    /// The step.
    pub step: StepId,
    /// The partitions.
    pub partitions: PartitionSet,
    /// The cause: they are held back for a failure, and skipped for a skip.
    pub cause: LossCause,
    /// The asset and the first partition whose loss withholds them; `None` for a failed check of a
    /// step that only checks, and for a canceled run.
    pub source: Option<(AssetKey, u64)>,
}

impl Frontier {
    /// Creates the frontier of a plan that has not started.
    ///
    /// # Errors
    /// [`PlanError::Stale`] when the plan names something that the graph does not hold.
    pub fn new(lineage: Lineage<'_>, plan: &Plan) -> Result<Self, PlanError> {
        let graph = lineage.graph;
        let mut steps = Vec::new();
        let mut nodes = Vec::new();
        let mut work = Vec::new();
        for (id, stage, step) in plan.steps() {
            let node = node_of_step(graph, step, stage.partitions.clone())?;
            let definition = graph.partitions(node.divided_like);
            let batches = match stage.batching {
                BackfillPolicy::PerPartition => None,
                policy => {
                    let batches =
                        divide_into_batches(policy, definition, &stage.partitions, lineage.context);
                    Some(Batches::new(batches))
                }
            };
            steps.push(id);
            let target = stage.partitions.clone();
            work.push(StepProgress::new(node.assets.clone(), target, batches));
            nodes.push(node);
        }
        let nodes = Nodes::new(lineage, nodes);
        let mut frontier = Self {
            above: vec![Vec::new(); steps.len()],
            below: vec![Vec::new(); steps.len()],
            own_links: vec![Vec::new(); steps.len()],
            links: Vec::new(),
            active: BTreeSet::new(),
            steps,
            work,
        };
        frontier.build_links(lineage, &nodes);
        // Whatever waits for nothing in the plan is ready at once.
        for index in 0..frontier.work.len() {
            let all = frontier.work[index].waiting.clone();
            frontier.release_free(lineage, index, &all)?;
        }
        Ok(frontier)
    }

    /// Builds the links of every step from the waits of its node.
    ///
    /// Each link is indexed from both ends: from the awaited step, so that an outcome finds the
    /// steps below it, and from the waiting step, so that a release checks all it waits for.
    fn build_links(&mut self, lineage: Lineage<'_>, nodes: &Nodes) {
        for (waiting, waits) in nodes.waits.iter().enumerate() {
            for wait in waits {
                let to = |asset| Edge {
                    asset,
                    mapping: wait.mapping.clone(),
                    need: wait.need,
                };
                let up = (wait.downstream, to(wait.upstream));
                // A check has the ordinals of its asset. A gate between partitions of one asset
                // (`earlier`) follows the mapping instead.
                let one_to_one =
                    wait.upstream == wait.downstream && wait.on != waiting && !wait.earlier
                        || lineage.is_one_to_one(up.0, &up.1);
                if wait.on == waiting && one_to_one {
                    // One invocation materializes both assets for the same partition: nothing to
                    // wait for.
                    continue;
                }
                let divided = |asset| lineage.graph.partitions(asset).is_some();
                let reads_few = matches!(
                    wait.mapping,
                    PartitionMapping::Last | PartitionMapping::Specific { .. }
                );
                // Where every partition depends on all of the other step's, the waiting step is
                // looked at once, after the last outcome, and not after each of them. `Last` and
                // `Specific` cross the same boundary but read few partitions.
                let all_at_once = wait.mapping == PartitionMapping::All
                    || divided(wait.upstream) != divided(wait.downstream) && !reads_few;
                let index = self.links.len();
                self.links.push(Link {
                    all_at_once: all_at_once && !one_to_one,
                    on: wait.on,
                    waiting,
                    up,
                    down: (wait.upstream, to(wait.downstream)),
                    one_to_one,
                });
                self.below[wait.on].push(index);
                // A batch may hold the earlier partitions it depends on: partitions are ready
                // without regard to them, and `choose_partitions` compares the batch as a whole.
                // Partitions that run one by one wait for their predecessors like for any other
                // step.
                let earlier = wait.on == waiting || wait.earlier;
                if earlier && self.work[waiting].batches.is_some() {
                    self.own_links[waiting].push(index);
                } else {
                    self.above[waiting].push(index);
                }
            }
        }
    }

    /// Takes a partition or batch that can run, of the steps that `allowed` admits; `None` when
    /// there is none right now. The caller has to [record the outcome](Self::record_outcome) of what it
    /// takes, or [abandon](Self::abandon_partitions) it.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn take_ready(
        &mut self,
        lineage: Lineage<'_>,
        mut allowed: impl FnMut(StepId) -> bool,
    ) -> Result<Option<Ready>, InvalidMapping> {
        let mut after = Bound::Unbounded;
        while let Some(&Reverse(index)) = self.active.range((after, Bound::Unbounded)).next() {
            after = Bound::Excluded(Reverse(index));
            if !allowed(self.steps[index]) {
                continue;
            }
            if let Some(partitions) = self.choose_partitions(lineage, index)? {
                self.work[index].ready -= &partitions;
                self.work[index].running |= &partitions;
                if self.work[index].ready.is_empty() {
                    self.active.remove(&Reverse(index));
                }
                return Ok(Some(Ready {
                    step: self.steps[index],
                    partitions,
                }));
            }
        }
        Ok(None)
    }

    /// Chooses the partitions of a step to dispatch next: the first ready one, or the first
    /// complete batch that waits for no earlier batch of its own asset.
    fn choose_partitions(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
    ) -> Result<Option<PartitionSet>, InvalidMapping> {
        let work = &self.work[index];
        let Some(batches) = &work.batches else {
            return Ok(work.ready.first().map(PartitionSet::single));
        };
        let own_links: Vec<&Link> = self.own_links[index]
            .iter()
            .map(|l| &self.links[*l])
            .collect();
        let mut found = None;
        for (batch, partitions) in batches.complete_batches() {
            if is_batch_free(lineage, &self.work, &own_links, partitions)? {
                found = Some(batch);
                break;
            }
        }
        let batches = self.work[index].batches.as_mut();
        Ok(found
            .zip(batches)
            .map(|(batch, batches)| batches.take_batch(batch)))
    }

    /// Records the outcome of partitions that were taken, or that ended before a resumed run was
    /// loaded. Returns the partitions that will not run because of what was lost.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn record_outcome(
        &mut self,
        lineage: Lineage<'_>,
        step: StepId,
        outcome: &StepOutcome,
    ) -> Result<Vec<Withheld>, InvalidMapping> {
        let Ok(index) = self.steps.binary_search(&step) else {
            return Ok(Vec::new());
        };
        let ended = outcome.ended();
        let work = &mut self.work[index];
        if !ended.is_subset(&work.running) {
            // Outcomes of an earlier process: the partitions were never taken here and are still
            // waiting or ready. They leave those sets, and their batches.
            let early = &ended - &work.running;
            work.remove_unstarted(&early);
        }
        work.running -= &ended;
        work.done |= &outcome.succeeded;
        work.failed |= &outcome.failed;
        work.skipped |= &outcome.skipped;
        // Losses first, failures before skips: what depends on them leaves `waiting`. A release asks
        // only whether an upstream partition still lacks an outcome, so a loss would not stop it.
        let mut losses: Vec<&Loss> = outcome.losses.iter().collect();
        losses.sort_by_key(|loss| loss.cause);
        let mut withheld = Vec::new();
        for loss in losses {
            self.withhold_below(lineage, index, loss, &mut withheld)?;
        }
        // A partition that failed for one asset has ended for the others as well, and so have
        // skipped ones for what takes them as optional.
        self.release_below(lineage, index, &ended)?;
        let skipped = withheld
            .iter()
            .filter(|other| other.cause == LossCause::Skipped);
        for other in skipped {
            if let Ok(index) = self.steps.binary_search(&other.step) {
                self.release_below(lineage, index, &other.partitions)?;
            }
        }
        Ok(withheld)
    }

    /// Marks taken partitions as held back: they were not started, and will not be.
    pub fn abandon_partitions(&mut self, step: StepId, partitions: &PartitionSet) {
        if let Ok(index) = self.steps.binary_search(&step) {
            let work = &mut self.work[index];
            let abandoned = &work.running & partitions;
            work.running -= &abandoned;
            work.held |= &abandoned;
        }
    }

    /// Holds back everything that is not running yet, and returns it. Nothing more is dispatched.
    pub fn cancel_remaining(&mut self) -> Vec<Withheld> {
        self.active.clear();
        let mut all = Vec::new();
        for (work, step) in self.work.iter_mut().zip(&self.steps) {
            let everything = work.target.clone();
            let partitions = work.hold_back(&everything);
            if !partitions.is_empty() {
                all.push(Withheld {
                    step: *step,
                    partitions,
                    cause: LossCause::Failed,
                    source: None,
                });
            }
        }
        all
    }

    /// Withholds everything that misses lost partitions, near or far, and adds it to `all`.
    fn withhold_below(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        loss: &Loss,
        all: &mut Vec<Withheld>,
    ) -> Result<(), InvalidMapping> {
        let graph = lineage.graph;
        let asset = loss.asset.as_ref().and_then(|key| graph.id(key));
        if loss.asset.is_some() && asset.is_none() {
            return Ok(());
        }
        let source = loss.partitions.first().and_then(|first| {
            let asset = asset.or_else(|| self.work[index].assets.first().copied())?;
            Some((graph.key(asset).clone(), first))
        });
        // A partition is withheld once and then leaves the pending sets, so every partition enters
        // `front` at most once and the walk ends, cycles through an asset itself included.
        let mut front = vec![(index, asset, loss.partitions.clone())];
        while let Some((index, asset, set)) = front.pop() {
            if set.is_empty() {
                continue;
            }
            if loss.cause == LossCause::Skipped {
                self.work[index].add_skipped_assets(asset, &set);
            }
            for &link in &self.below[index] {
                let link = &self.links[link];
                if asset.is_some_and(|asset| link.down.0 != asset) {
                    continue;
                }
                let below = match loss.cause {
                    LossCause::Failed => link.waiting_partitions(lineage, &set)?,
                    LossCause::Skipped => link.skipped_partitions(lineage, &set, &self.work)?,
                };
                let waiting = link.waiting;
                let withheld = match loss.cause {
                    LossCause::Failed => self.work[waiting].hold_back(&below),
                    LossCause::Skipped => self.work[waiting].skip(&below),
                };
                if withheld.is_empty() {
                    continue;
                }
                if self.work[waiting].ready.is_empty() {
                    self.active.remove(&Reverse(waiting));
                }
                let step = self.steps[waiting];
                let same = |other: &&mut Withheld| {
                    (other.step, other.cause, &other.source) == (step, loss.cause, &source)
                };
                match all.iter_mut().find(same) {
                    Some(other) => other.partitions |= &withheld,
                    None => all.push(Withheld {
                        step,
                        partitions: withheld.clone(),
                        cause: loss.cause,
                        source: source.clone(),
                    }),
                }
                front.push((waiting, None, withheld));
            }
        }
        Ok(())
    }

    /// Marks partitions as ready that waited for the last of their upstream partitions.
    fn release_below(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        succeeded: &PartitionSet,
    ) -> Result<(), InvalidMapping> {
        for position in 0..self.below[index].len() {
            let link = &self.links[self.below[index][position]];
            let waiting = link.waiting;
            let candidates = if !link.all_at_once {
                &link.waiting_partitions(lineage, succeeded)? & &self.work[waiting].waiting
            } else if self.work[index].pending_len() == 0 {
                self.work[waiting].waiting.clone()
            } else {
                continue;
            };
            self.release_free(lineage, waiting, &candidates)?;
        }
        Ok(())
    }

    /// Marks those of `candidates` as ready that wait for nothing any longer.
    fn release_free(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        candidates: &PartitionSet,
    ) -> Result<(), InvalidMapping> {
        let links: Vec<&Link> = self.above[index].iter().map(|l| &self.links[*l]).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let free = free_candidates(lineage, &self.work, &links, candidates)?;
        if !free.is_empty() {
            self.work[index].mark_ready(&free);
            self.active.insert(Reverse(index));
        }
        Ok(())
    }

    /// Returns `true` if nothing is running and nothing can run.
    pub fn is_finished(&self) -> bool {
        self.work.iter().all(|work| work.pending_len() == 0)
    }

    /// Returns the progress of the whole plan.
    pub fn tally(&self) -> Tally {
        self.work
            .iter()
            .map(StepProgress::tally)
            .fold(Tally::default(), |all, one| Tally {
                total: all.total + one.total,
                running: all.running + one.running,
                succeeded: all.succeeded + one.succeeded,
                failed: all.failed + one.failed,
                held: all.held + one.held,
                skipped: all.skipped + one.skipped,
            })
    }

    /// Returns the progress of one step.
    pub fn step_tally(&self, step: StepId) -> Tally {
        let index = self.steps.binary_search(&step);
        index
            .map(|index| self.work[index].tally())
            .unwrap_or_default()
    }

    /// Returns the skipped partitions of a step.
    pub fn skipped_partitions(&self, step: StepId) -> PartitionSet {
        let index = self.steps.binary_search(&step);
        index
            .map(|index| self.work[index].skipped.clone())
            .unwrap_or_default()
    }
}
