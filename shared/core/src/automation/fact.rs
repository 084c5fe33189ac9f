//! The facts at the leaves of conditions.

use super::{
    Ordering, RunFacts, Stamp, Update,
    cursor::NodeState,
    evaluate::{Evaluator, Moment},
    node::{Kind, Node, Target},
    snapshot::RunRef,
    stamp::Stamped,
};
use crate::partitions::PartitionSet;

/// Beyond so many updated partitions Dagster takes the time of the tick for all of them.
const TIMED_BY_DAGSTER: u64 = 100;

type Fact = (PartitionSet, Option<Stamped>);

impl Evaluator<'_> {
    pub(super) fn fact(&mut self, node: &Node, candidates: &PartitionSet, moment: Moment) -> Fact {
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
                let stamp = self
                    .previous
                    .map(|previous| self.stamp_of_tick_before(previous));
                let timing = stamp.filter(|_| !requested.is_empty());
                let timing = timing.map(|stamp| Stamped::at(stamp, requested.clone()));
                return (requested, timing);
            }
            Kind::CronTickPassed(schedule) => return self.cron_tick_passed(*schedule, candidates),
            Kind::WillBeRequested(joins) => {
                let requested = &self.tick.requested[asset.0 as usize];
                if !joins || requested.is_empty() {
                    return (PartitionSet::empty(), None);
                }
                return (requested.clone(), self.now(requested));
            }
            _ => {}
        }
        (self.state_of_record(node, candidates), None)
    }

    /// Facts that hold or do not, without a moment.
    fn state_of_record(&self, node: &Node, candidates: &PartitionSet) -> PartitionSet {
        let asset = node.target.asset();
        let snapshot = self.tick.snapshot;
        if let Target::Check(check, _) = node.target {
            let Some(facts) = snapshot.check(&self.graph().check(check).key) else {
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
                Kind::InLatestTimeWindow(lookback) => {
                    self.tick.latest(asset, *lookback).as_ref().clone()
                }
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
        let facts = snapshot.asset(asset);
        match &node.kind {
            Kind::Missing => candidates - &facts.materialized,
            Kind::RunInProgress => facts.run_in_progress.clone(),
            Kind::BackfillInProgress => facts.backfill_in_progress.clone(),
            Kind::ExecutionFailed => facts.failed.clone(),
            Kind::InLatestTimeWindow(lookback) => {
                self.tick.latest(asset, *lookback).as_ref().clone()
            }
            // An asset that is asked about itself stands for other partitions of itself: those were
            // not made with the root.
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

    fn code_version_changed(&mut self, node: &Node, candidates: &PartitionSet) -> Fact {
        let now = self
            .graph()
            .asset(node.target.asset())
            .code_version
            .as_deref();
        let changed = match self.state(node) {
            Some(NodeState::CodeVersion(before)) => now != Some(before.as_str()),
            _ => false,
        };
        if let Some(version) = now {
            self.remember(node, NodeState::CodeVersion(version.to_owned()));
        }
        if changed {
            (candidates.clone(), self.now(candidates))
        } else {
            (PartitionSet::empty(), None)
        }
    }

    fn cron_tick_passed(&self, schedule: usize, candidates: &PartitionSet) -> Fact {
        let tick = self.tick.cron_tick(schedule);
        match tick
            .zip(self.previous)
            .filter(|(tick, previous)| *tick >= previous.evaluated_at)
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

    /// The updates that the root asset has not seen.
    fn new_updates(&self, target: Target) -> &[Update] {
        let snapshot = self.tick.snapshot;
        let updates = match target {
            Target::Asset(asset) => &snapshot.asset(asset).updates,
            Target::Check(check, _) => match snapshot.check(&self.graph().check(check).key) {
                Some(facts) => &facts.updates,
                None => return &[],
            },
        };
        self.unseen(updates)
    }

    /// Those of some updates that the root asset has not seen: none in its first evaluation.
    fn unseen<'u>(&self, updates: &'u [Update]) -> &'u [Update] {
        match self.previous {
            None => &[],
            Some(previous) => {
                let seen = updates.partition_point(|update| update.sequence <= previous.sequence);
                &updates[seen..]
            }
        }
    }

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
            let stamp = match self.ordering() {
                Ordering::Tick => Stamp {
                    at: update.at,
                    sequence: 0,
                },
                Ordering::Sequence => match moment {
                    Moment::Saw => update.saw(),
                    Moment::Landed => self.after_tick_before(update.landed()),
                },
            };
            timing.push(stamp, update.partitions.clone());
        }
        if updated.is_empty() {
            return (updated, None);
        }
        match self.ordering() {
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

    /// The moment of an event that this tick is the first to see, by the order in which things became
    /// known: after what the tick before decided, whatever a clock said.
    fn after_tick_before(&self, stamp: Stamp) -> Stamp {
        let before = self
            .previous
            .map_or(stamp.at, |previous| previous.evaluated_at);
        Stamp {
            at: stamp.at.max(before),
            ..stamp
        }
    }

    fn stamp_of_tick_before(&self, previous: &super::cursor::AssetCursor) -> Stamp {
        let sequence = match self.ordering() {
            Ordering::Tick => 0,
            Ordering::Sequence => previous.sequence,
        };
        Stamp {
            at: previous.evaluated_at,
            sequence,
        }
    }

    /// The moment of this tick, for what this tick itself finds out. Dagster has no times for that.
    fn now(&self, partitions: &PartitionSet) -> Option<Stamped> {
        let stamp = Stamp {
            at: self.tick.context.now,
            sequence: self.tick.snapshot.sequence(),
        };
        match self.ordering() {
            Ordering::Tick => None,
            Ordering::Sequence => Some(Stamped::at(stamp, partitions.clone())),
        }
    }

    fn ran_root(&self, run: &RunFacts) -> bool {
        run.assets.contains(self.graph().key(self.root))
    }

    fn latest_run(
        &self,
        runs: &[(RunRef, PartitionSet)],
        matches: impl Fn(&RunFacts) -> bool,
        candidates: &PartitionSet,
    ) -> PartitionSet {
        let mut matching = PartitionSet::empty();
        for (run, partitions) in runs {
            if matches(self.tick.snapshot.run(*run)) {
                matching |= partitions;
            }
        }
        matching &= candidates;
        matching
    }

    /// The partitions of which the last of these updates came from a matching run.
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
                .is_some_and(|run| matches(self.tick.snapshot.run(run)))
            {
                matching |= &update.partitions;
            } else {
                matching -= &update.partitions;
            }
        }
        matching &= candidates;
        matching
    }

    /// The partitions that were updated by matching runs, and those updated by others.
    fn new_updates_ran(
        &self,
        updates: &[Update],
        matches: impl Fn(&RunFacts) -> bool,
    ) -> (PartitionSet, PartitionSet) {
        let (mut matching, mut others) = (PartitionSet::empty(), PartitionSet::empty());
        for update in self.unseen(updates) {
            if update
                .run
                .is_some_and(|run| matches(self.tick.snapshot.run(run)))
            {
                matching |= &update.partitions;
            } else {
                others |= &update.partitions;
            }
        }
        (matching, others)
    }
}
