//! Evaluating the facts at the leaves of conditions.

use chrono::{DateTime, Utc};

use super::{
    Ordering, RunFacts, Stamp, Update,
    cursor::{AssetCursor, NodeState},
    evaluate::{Evaluator, Moment},
    node::{Kind, Node, Target},
    snapshot::RunRef,
    stamp::Stamped,
};
use crate::partitions::PartitionSet;

/// The number of updated partitions above which Dagster uses the time of the tick for all of them.
const TIMED_BY_DAGSTER: u64 = 100;

/// The partitions that a fact is true of, with the moments, where known.
type Fact = (PartitionSet, Option<Stamped>);

impl Evaluator<'_> {
    /// Evaluates a fact.
    pub(super) fn evaluate_fact(
        &mut self,
        node: &Node,
        candidates: &PartitionSet,
        moment: Moment,
    ) -> Fact {
        let asset = node.target.asset();
        match &node.kind {
            Kind::CodeVersionChanged => return self.code_version_changed(node, candidates),
            Kind::InitialEvaluation => {
                let initial = self.previous.is_none();
                return (
                    if initial {
                        candidates.clone()
                    } else {
                        PartitionSet::empty()
                    },
                    None,
                );
            }
            // Facts above update state or depend on the tick alone, even without candidates.
            _ if candidates.is_empty() => return (PartitionSet::empty(), None),
            Kind::NewlyUpdated => return self.newly_updated(node.target, moment, |_| true),
            Kind::DataVersionChanged => {
                return self
                    .newly_updated(node.target, moment, |update| update.data_version_changed);
            }
            Kind::NewlyRequested => {
                let requested = self
                    .tick
                    .requested_before(asset)
                    .cloned()
                    .unwrap_or_default();
                let timing = self
                    .previous
                    .filter(|_| !requested.is_empty())
                    .map(|previous| self.stamp_of_tick_before(previous))
                    .map(|stamp| Stamped::at(stamp, requested.clone()));
                return (requested, timing);
            }
            Kind::CronTickPassed(schedule) => return self.cron_tick_passed(*schedule, candidates),
            Kind::WillBeRequested(joins) => {
                let requested = &self.tick.requested[asset.0 as usize];
                if !joins || requested.is_empty() {
                    return (PartitionSet::empty(), None);
                }
                return (requested.clone(), self.stamped_now(requested));
            }
            _ => {}
        }
        (self.state_of_record(node, candidates), None)
    }

    /// Evaluates a fact without a moment, from the snapshot alone.
    fn state_of_record(&self, node: &Node, candidates: &PartitionSet) -> PartitionSet {
        let asset = node.target.asset();
        let snapshot = self.tick.snapshot;
        // Facts of checks come first: without any, a check is missing everywhere.
        if let Target::Check(check, _) = node.target {
            let Some(facts) = snapshot.check_facts(&self.graph().check(check).key) else {
                return match &node.kind {
                    Kind::Missing => candidates.clone(),
                    _ => PartitionSet::empty(),
                };
            };
            return match &node.kind {
                Kind::Missing => {
                    let mut missing = candidates - &facts.passed;
                    missing -= &facts.failed;
                    missing -= &facts.run_in_progress;
                    missing -= &facts.execution_failed;
                    missing
                }
                Kind::RunInProgress => facts.run_in_progress.clone(),
                Kind::ExecutionFailed => facts.execution_failed.clone(),
                Kind::CheckPassed => facts.passed.clone(),
                Kind::CheckFailed => facts.failed.clone(),
                Kind::InLatestTimeWindow(lookback) => self
                    .tick
                    .latest_partitions(asset, *lookback)
                    .as_ref()
                    .clone(),
                Kind::ExecutedWithRootTarget => {
                    self.last_update_ran(&facts.updates, |run| self.ran_root(run), candidates)
                }
                Kind::ExecutedWithTags(tags) => {
                    let matches = |run: &RunFacts| tags.matches(&run.tags);
                    self.last_update_ran(&facts.updates, matches, candidates)
                }
                Kind::AnyNewUpdateHasRunTags(tags) => {
                    self.new_updates_ran(&facts.updates, |run| tags.matches(&run.tags))
                        .0
                }
                Kind::AllNewUpdatesHaveRunTags(tags) => {
                    let (some, others) =
                        self.new_updates_ran(&facts.updates, |run| tags.matches(&run.tags));
                    &some - &others
                }
                _ => PartitionSet::empty(),
            };
        }
        let facts = snapshot.asset_facts(asset);
        match &node.kind {
            Kind::Missing => &(candidates - &facts.materialized) - &facts.skipped,
            Kind::RunInProgress => facts.run_in_progress.clone(),
            Kind::BackfillInProgress => facts.backfill_in_progress.clone(),
            Kind::ExecutionFailed => facts.failed.clone(),
            Kind::InLatestTimeWindow(lookback) => {
                let latest = self.tick.latest_partitions(asset, *lookback);
                if asset == self.root {
                    latest.as_ref() | self.waiting
                } else {
                    latest.as_ref().clone()
                }
            }
            // Where an asset depends on itself, this asks about other partitions of the root, which
            // its run did not materialize with it.
            Kind::ExecutedWithRootTarget if asset == self.root => PartitionSet::empty(),
            Kind::ExecutedWithRootTarget => {
                self.latest_run(&facts.latest_runs, |run| self.ran_root(run), candidates)
            }
            Kind::ExecutedWithTags(tags) => self.latest_run(
                &facts.latest_runs,
                |run| tags.matches(&run.tags),
                candidates,
            ),
            Kind::AnyNewUpdateHasRunTags(tags) => {
                self.new_updates_ran(&facts.updates, |run| tags.matches(&run.tags))
                    .0
            }
            Kind::AllNewUpdatesHaveRunTags(tags) => {
                let (some, others) =
                    self.new_updates_ran(&facts.updates, |run| tags.matches(&run.tags));
                &some - &others
            }
            _ => PartitionSet::empty(),
        }
    }

    /// Compares the code version with the stored one, and stores it.
    fn code_version_changed(&mut self, node: &Node, candidates: &PartitionSet) -> Fact {
        let now = self
            .graph()
            .asset(node.target.asset())
            .code_version
            .as_deref();
        let changed = match self.node_state(node) {
            Some(NodeState::CodeVersion(before)) => now != Some(before.as_str()),
            _ => false,
        };
        // Without a version the stored one is dropped, and a new one later is no change.
        if let Some(version) = now {
            self.store_state(node, NodeState::CodeVersion(version.to_owned()));
        }
        if changed {
            (candidates.clone(), self.stamped_now(candidates))
        } else {
            (PartitionSet::empty(), None)
        }
    }

    /// Checks whether a schedule has ticked since the last evaluation.
    fn cron_tick_passed(&self, schedule: usize, candidates: &PartitionSet) -> Fact {
        let tick = self.tick.cron_tick(schedule);
        // A tick at the very moment of the last evaluation was seen by it. Dagster sees it again.
        let is_new = |tick: DateTime<Utc>, seen: DateTime<Utc>| match self.ordering() {
            Ordering::Tick => tick >= seen,
            Ordering::Sequence => tick > seen,
        };
        match tick
            .zip(self.previous)
            .filter(|(tick, previous)| is_new(*tick, previous.evaluated_at))
        {
            None => (PartitionSet::empty(), None),
            Some((at, _)) => {
                let stamp = Stamp { at, sequence: 0 };
                (
                    candidates.clone(),
                    Some(Stamped::at(stamp, candidates.clone())),
                )
            }
        }
    }

    /// Returns the updates of a target that the root asset has not seen.
    fn new_updates(&self, target: Target) -> &[Update] {
        let snapshot = self.tick.snapshot;
        let updates = match target {
            Target::Asset(asset) => &snapshot.asset_facts(asset).updates,
            Target::Check(check, _) => match snapshot.check_facts(&self.graph().check(check).key) {
                Some(facts) => &facts.updates,
                None => return &[],
            },
        };
        self.unseen_updates(updates)
    }

    /// Returns the updates after the root asset's last evaluation; none in its first.
    fn unseen_updates<'u>(&self, updates: &'u [Update]) -> &'u [Update] {
        match self.previous {
            None => &[],
            Some(previous) => {
                let seen = updates.partition_point(|update| update.sequence <= previous.sequence);
                &updates[seen..]
            }
        }
    }

    /// Returns the partitions of new updates that count, with the moment of each update.
    fn newly_updated(
        &self,
        target: Target,
        moment: Moment,
        counts: impl Fn(&Update) -> bool,
    ) -> Fact {
        let mut updated = PartitionSet::empty();
        let mut timing = Stamped::default();
        for update in self
            .new_updates(target)
            .iter()
            .filter(|update| counts(update))
        {
            updated |= &update.partitions;
            // In Dagster an event has a time and no order.
            let now = self.evaluated_at();
            let before = self
                .previous
                .map_or(now, |previous| previous.evaluated_at.min(now));
            let stamp = match self.ordering() {
                Ordering::Tick => Stamp {
                    at: update.at,
                    sequence: 0,
                },
                Ordering::Sequence => match moment {
                    Moment::Saw => update.saw_between(before, now),
                    Moment::Landed => update.landed_between(before, now),
                },
            };
            timing.push(stamp, update.partitions.clone());
        }
        if updated.is_empty() {
            return (updated, None);
        }
        match self.ordering() {
            // Dagster has no times for checks, and stops collecting them for large updates.
            Ordering::Tick if matches!(target, Target::Check(..)) => (updated, None),
            Ordering::Tick if updated.len() > TIMED_BY_DAGSTER => {
                let stamp = Stamp {
                    at: self.tick.context.now,
                    sequence: 0,
                };
                let timing = Stamped::at(stamp, updated.clone());
                (updated, Some(timing))
            }
            _ => (updated, Some(timing.latest_only())),
        }
    }

    /// Returns the moment of the tick before.
    fn stamp_of_tick_before(&self, previous: &AssetCursor) -> Stamp {
        let sequence = match self.ordering() {
            Ordering::Tick => 0,
            Ordering::Sequence => previous.sequence,
        };
        Stamp {
            at: previous.evaluated_at,
            sequence,
        }
    }

    /// Returns the moment of this tick for facts that it discovers itself. Dagster has none for
    /// these.
    fn stamped_now(&self, partitions: &PartitionSet) -> Option<Stamped> {
        let stamp = Stamp {
            at: self.evaluated_at(),
            sequence: self.tick.snapshot.sequence(),
        };
        match self.ordering() {
            Ordering::Tick => None,
            Ordering::Sequence => Some(Stamped::at(stamp, partitions.clone())),
        }
    }

    /// Returns `true` if a run also executed the root asset.
    fn ran_root(&self, run: &RunFacts) -> bool {
        run.assets.contains(self.graph().key(self.root))
    }

    /// Returns the candidates whose latest update came from a matching run.
    fn latest_run(
        &self,
        runs: &[(RunRef, PartitionSet)],
        matches: impl Fn(&RunFacts) -> bool,
        candidates: &PartitionSet,
    ) -> PartitionSet {
        let mut matching = PartitionSet::empty();
        for (run, partitions) in runs {
            if matches(self.tick.snapshot.run_facts(*run)) {
                matching |= partitions;
            }
        }
        matching &= candidates;
        matching
    }

    /// Returns the candidates whose last update in a list came from a matching run.
    fn last_update_ran(
        &self,
        updates: &[Update],
        matches: impl Fn(&RunFacts) -> bool,
        candidates: &PartitionSet,
    ) -> PartitionSet {
        let mut matching = PartitionSet::empty();
        for update in updates {
            if update
                .run
                .is_some_and(|run| matches(self.tick.snapshot.run_facts(run)))
            {
                matching |= &update.partitions;
            } else {
                matching -= &update.partitions;
            }
        }
        matching &= candidates;
        matching
    }

    /// Returns the partitions with new updates of matching runs, and those with others.
    fn new_updates_ran(
        &self,
        updates: &[Update],
        matches: impl Fn(&RunFacts) -> bool,
    ) -> (PartitionSet, PartitionSet) {
        let (mut matching, mut others) = (PartitionSet::empty(), PartitionSet::empty());
        // Dagster takes the cursor of an empty log for none, and so loses the first update of all.
        let reads_none = |seen: &AssetCursor| seen.sequence == 0;
        if self.ordering() == Ordering::Tick && self.previous.is_some_and(reads_none) {
            return (matching, others);
        }
        for update in self.unseen_updates(updates) {
            if update
                .run
                .is_some_and(|run| matches(self.tick.snapshot.run_facts(run)))
            {
                matching |= &update.partitions;
            } else {
                others |= &update.partitions;
            }
        }
        (matching, others)
    }
}
