//! [`Frontier`]: dispatching partitions and recording their outcomes.

use std::{cmp::Reverse, collections::BTreeSet, ops::Bound};

use crate::{
    graph::{AssetId, Edge},
    key::AssetKey,
    mapping::{InvalidMapping, PartitionMapping},
    partitions::PartitionSet,
    plan::{
        Lineage, Plan, PlanError, StepId, divide_into_batches,
        frontier::{
            Loss, LossCause, StepOutcome, Tally,
            batching::Batches,
            link::{Link, free_candidates, is_batch_free},
            progress::{Skipped, StepProgress},
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
            frontier.release_free(lineage, index, &all, &mut Vec::new())?;
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
        // Losses first, failures before skips: what depends on them leaves `waiting` or is marked. A
        // release asks only whether an upstream partition still lacks an outcome, so a loss would not
        // stop it.
        let mut losses: Vec<&Loss> = outcome.losses.iter().collect();
        losses.sort_by_key(|loss| loss.cause);
        let (mut withheld, mut skipped) = (Vec::new(), Vec::new());
        for Loss {
            asset: key,
            partitions: lost,
            cause,
        } in losses
        {
            let asset = key.as_ref().and_then(|key| lineage.graph.id(key));
            if key.is_some() && asset.is_none() {
                continue;
            }
            let source = self.source_of(lineage, index, asset, lost);
            match cause {
                LossCause::Failed => {
                    self.hold_back_below(lineage, index, asset, lost, &source, &mut withheld)?;
                }
                LossCause::Skipped => {
                    self.mark_below(lineage, index, asset, lost, &source, &mut skipped)?;
                }
            }
        }
        // A partition that failed for one asset has ended for the others as well, and so have
        // skipped ones for what takes them as optional.
        self.release_below(lineage, index, &ended, &mut skipped)?;
        self.pass_on_skips(lineage, skipped, &mut withheld)?;
        Ok(withheld)
    }

    /// Skips the marked partitions of every step as if all that they wait for had an outcome by which
    /// they can run. Returns them, and what is skipped with them.
    ///
    /// For a caller that records losses alone and not the partitions that succeeded.
    ///
    /// # Errors
    /// [`InvalidMapping`]; never for a graph that was accepted.
    pub fn skip_marked(&mut self, lineage: Lineage<'_>) -> Result<Vec<Withheld>, InvalidMapping> {
        let mut withheld = Vec::new();
        // What is skipped marks others: each round skips at least one partition, or is the last.
        loop {
            let mut skipped = Vec::new();
            for index in 0..self.work.len() {
                let waiting = self.work[index].waiting.clone();
                let marked = self.work[index].skip_marked(&waiting);
                skipped.extend(marked.into_iter().map(|one| (index, one)));
            }
            if skipped.is_empty() {
                return Ok(withheld);
            }
            self.pass_on_skips(lineage, skipped, &mut withheld)?;
        }
    }

    /// Adds skipped partitions to `withheld`, with all that is skipped because of them.
    fn pass_on_skips(
        &mut self,
        lineage: Lineage<'_>,
        mut skipped: Vec<(usize, Skipped)>,
        withheld: &mut Vec<Withheld>,
    ) -> Result<(), InvalidMapping> {
        while let Some((index, Skipped { partitions, source })) = skipped.pop() {
            self.mark_below(lineage, index, None, &partitions, &source, &mut skipped)?;
            self.release_below(lineage, index, &partitions, &mut skipped)?;
            let cause = LossCause::Skipped;
            add_withheld(withheld, self.steps[index], cause, &source, &partitions);
        }
        Ok(())
    }

    /// Returns the asset and the first partition that a loss is reported with; `None` for a step that
    /// only checks.
    fn source_of(
        &self,
        lineage: Lineage<'_>,
        index: usize,
        asset: Option<AssetId>,
        lost: &PartitionSet,
    ) -> Option<(AssetKey, u64)> {
        let asset = asset.or_else(|| self.work[index].assets.first().copied())?;
        Some((lineage.graph.key(asset).clone(), lost.first()?))
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

    /// Holds back everything that depends on failed partitions, near or far, and adds it to `all`.
    fn hold_back_below(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        asset: Option<AssetId>,
        failed: &PartitionSet,
        source: &Option<(AssetKey, u64)>,
        all: &mut Vec<Withheld>,
    ) -> Result<(), InvalidMapping> {
        // A partition is held back once and then leaves the pending sets, so every partition enters
        // `front` at most once and the walk ends, cycles through an asset itself included.
        let mut front = vec![(index, asset, failed.clone())];
        while let Some((index, asset, set)) = front.pop() {
            if set.is_empty() {
                continue;
            }
            for &link in &self.below[index] {
                let link = &self.links[link];
                if asset.is_some_and(|asset| link.down.0 != asset) {
                    continue;
                }
                let below = link.waiting_partitions(lineage, &set)?;
                let waiting = link.waiting;
                let held = self.work[waiting].hold_back(&below);
                if held.is_empty() {
                    continue;
                }
                if self.work[waiting].ready.is_empty() {
                    self.active.remove(&Reverse(waiting));
                }
                let cause = LossCause::Failed;
                add_withheld(all, self.steps[waiting], cause, source, &held);
                front.push((waiting, None, held));
            }
        }
        Ok(())
    }

    /// Marks the partitions that need skipped ones. They are skipped once nothing that they wait for can
    /// fail any longer: a failure would hold them back, in whichever order the two arrive.
    fn mark_below(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        asset: Option<AssetId>,
        set: &PartitionSet,
        source: &Option<(AssetKey, u64)>,
        skipped: &mut Vec<(usize, Skipped)>,
    ) -> Result<(), InvalidMapping> {
        self.work[index].add_skipped_assets(asset, set);
        for &link in &self.below[index] {
            let link = &self.links[link];
            if asset.is_some_and(|asset| link.down.0 != asset) {
                continue;
            }
            let below = link.skipped_partitions(lineage, set, &self.work)?;
            let waiting = link.waiting;
            self.work[waiting].mark_skipped(&below, source);
            // A partition of a batch is ready without regard to its own earlier partitions.
            if let Some(ready) = self.work[waiting].skip_ready(&below, source) {
                skipped.push((waiting, ready));
                if self.work[waiting].ready.is_empty() {
                    self.active.remove(&Reverse(waiting));
                }
            }
        }
        Ok(())
    }

    /// Marks partitions as ready that waited for the last of their upstream partitions. Those that are
    /// to be skipped are added to `skipped` instead.
    fn release_below(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        ended: &PartitionSet,
        skipped: &mut Vec<(usize, Skipped)>,
    ) -> Result<(), InvalidMapping> {
        for position in 0..self.below[index].len() {
            let link = &self.links[self.below[index][position]];
            let waiting = link.waiting;
            let candidates = if !link.all_at_once {
                &link.waiting_partitions(lineage, ended)? & &self.work[waiting].waiting
            } else if self.work[index].pending_len() == 0 {
                self.work[waiting].waiting.clone()
            } else {
                continue;
            };
            self.release_free(lineage, waiting, &candidates, skipped)?;
        }
        Ok(())
    }

    /// Marks those of `candidates` as ready that wait for nothing any longer, or skips them.
    fn release_free(
        &mut self,
        lineage: Lineage<'_>,
        index: usize,
        candidates: &PartitionSet,
        skipped: &mut Vec<(usize, Skipped)>,
    ) -> Result<(), InvalidMapping> {
        let links: Vec<&Link> = self.above[index].iter().map(|l| &self.links[*l]).collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let mut free = free_candidates(lineage, &self.work, &links, candidates)?;
        for one in self.work[index].skip_marked(&free) {
            free -= &one.partitions;
            skipped.push((index, one));
        }
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

/// Adds partitions to those that are withheld from a step for the same reason.
fn add_withheld(
    all: &mut Vec<Withheld>,
    step: StepId,
    cause: LossCause,
    source: &Option<(AssetKey, u64)>,
    partitions: &PartitionSet,
) {
    let same =
        |other: &&mut Withheld| (other.step, other.cause, &other.source) == (step, cause, source);
    match all.iter_mut().find(same) {
        Some(other) => other.partitions |= partitions,
        None => all.push(Withheld {
            step,
            partitions: partitions.clone(),
            cause,
            source: source.clone(),
        }),
    }
}
