//! [`Effects`]: the writes that follow from a batch of changes. Pure: nothing is read or written here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use precip_core::key::AssetKey;
use precip_engine::{
    react::ChangeSet,
    state::{CheckEvaluation, Materialization, RunStatus, Segment, StateResult},
    trigger::waiting_trigger,
};

use super::{
    super::{
        call::Op,
        checks::{decode_evaluation, failing_mark, is_failing, latest_check},
        events::{event_row, events_of},
        item::{Attributes, Item},
        keys::{self, Key, Progress},
        row::Row,
        updates::Update,
    },
    bits::Bit,
    change::Change,
};

/// The state that the effects of changes depend on besides the changes.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownState {
    /// The current generation of each asset's layout; 0 when missing.
    pub(super) generations: BTreeMap<AssetKey, u64>,
    /// The current rows of [`possibly_renumbered`] changes.
    pub(super) current: HashMap<Key, Row>,
}

/// The writes that follow from a batch of changes. Each may be repeated.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    /// Rows of the event log.
    pub(super) archive: Vec<Item>,
    /// Evaluations that are no longer published with their partition.
    pub(super) checks: Vec<Op>,
    /// Bits of bitmap rows, in order.
    pub(super) bits: BTreeMap<Key, Vec<Bit>>,
    /// Partitions that begin or cease to fail a check.
    pub(super) failing: Vec<Op>,
    /// Rows of failures and failed checks that no longer hold, to be deleted.
    pub(super) resolved: BTreeSet<Key>,
    /// Updates, by asset.
    pub(super) updates: BTreeMap<AssetKey, Vec<Update>>,
    /// Other changes that reactions may wait for.
    pub(super) changes: ChangeSet,
}

fn old_and_new_rows(change: &Change) -> (Option<Row>, Option<Row>) {
    let row = |image: &Option<Item>| image.as_ref().and_then(Row::from_item);
    (row(&change.old), row(&change.new))
}

/// Returns the assets whose generation must be known.
pub(super) fn changed_assets(changes: &[Change]) -> BTreeSet<AssetKey> {
    changes
        .iter()
        .filter_map(|change| keys::parse_latest(&change.key))
        .map(|(asset, _)| asset)
        .collect()
}

/// Returns the latest rows that may have been renumbered since the change, so that their ordinals must
/// be read again. Empty unless a definition ever changed.
pub(super) fn possibly_renumbered(
    changes: &[Change],
    generations: &BTreeMap<AssetKey, u64>,
) -> BTreeSet<Key> {
    changes
        .iter()
        .filter_map(|change| old_and_new_rows(change).1)
        .filter(|row| row.generation < generation_of(generations, &row.asset))
        .map(|row| row.key())
        .collect()
}

fn generation_of(generations: &BTreeMap<AssetKey, u64>, asset: &AssetKey) -> u64 {
    generations.get(asset).copied().unwrap_or_default()
}

/// Returns the value of a result, and logs and drops an error: one broken record must not block the
/// stream.
fn ok_or_log<T>(result: StateResult<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::error!(%error, "a record was left out of the projection"))
        .ok()
}

fn decode_materialization(row: Option<&Row>) -> Option<Materialization> {
    ok_or_log(row?.materialization()).flatten()
}

impl Effects {
    /// Computes the effects of changes.
    pub(super) fn of_changes(changes: &[Change], known: &KnownState) -> Self {
        let mut effects = Self::default();
        for change in changes {
            // The prefix of the partition key tells the kind of the row.
            match change.key.pk.split_once('#') {
                Some(("L", _)) => effects.apply_latest(change, known),
                Some(("X", _)) => effects.apply_check(change),
                Some(("R", _)) if change.key.sk == keys::RUN => effects.apply_run(change),
                Some(("R", _)) => effects.apply_unpublished(change),
                Some(("D", set)) => {
                    effects.changes.dynamic_sets.insert(set.to_owned());
                }
                Some(("S", _)) if change.key == keys::trigger_row(&waiting_trigger()) => {
                    effects.changes.waiting = true;
                }
                _ => {}
            }
        }
        effects
    }

    fn push_bit(&mut self, key: Key, set: &'static str, ordinal: u64, value: bool) {
        let bits = self.bits.entry(key).or_default();
        bits.push(Bit {
            set,
            ordinal,
            value,
        });
    }

    /// The latest row of a partition: what was published, wiped, or failed.
    fn apply_latest(&mut self, change: &Change, known: &KnownState) {
        let (old, new) = old_and_new_rows(change);
        let previous = decode_materialization(old.as_ref());
        let current = decode_materialization(new.as_ref());
        // A publication is found in the update log; here only failures, skips and wipes count as
        // changes.
        let ended = |row: &Option<Row>| {
            let row = row.as_ref()?;
            Some((row.unpublished?, row.is_skipped()))
        };
        if new.is_none() || ended(&old) != ended(&new) {
            let asset = new.as_ref().or(old.as_ref()).map(|row| &row.asset);
            self.changes.changed.extend(asset.cloned());
        }
        self.update_statuses(old.as_ref(), new.as_ref(), known);
        if let Some(new) = &new {
            self.add_update(old.as_ref(), new, known);
        }
        self.archive_superseded(previous.as_ref(), current.as_ref());
        if let Some(current) = &current {
            self.update_inline_checks(previous.as_ref(), current);
        }
    }

    /// Updates the status bits of a partition.
    fn update_statuses(&mut self, old: Option<&Row>, new: Option<&Row>, known: &KnownState) {
        let Some(asset) = new.or(old).map(|row| &row.asset) else {
            return;
        };
        let now = generation_of(&known.generations, asset);
        let key = |ordinal| keys::statuses_row(asset, now, Segment::index(ordinal));
        // Bitmaps belong to a generation. A renumbered row has left the old one's bitmaps behind, so
        // there is no bit to clear.
        let renumbered = new
            .zip(old)
            .is_some_and(|(new, old)| new.generation != old.generation);
        let previous = old
            .filter(|_| !renumbered)
            .and_then(|row| row.ordinal)
            .filter(|ordinal| new.is_none_or(|new| new.ordinal != Some(*ordinal)));
        if let Some(ordinal) = previous {
            self.push_bit(key(ordinal), "m", ordinal, false);
            self.push_bit(key(ordinal), "f", ordinal, false);
            self.push_bit(key(ordinal), "s", ordinal, false);
        }
        // The bits are set to the row's state, not toggled: applying the change again is harmless.
        let Some((row, ordinal)) = new.and_then(|new| with_current_ordinal(new, known)) else {
            return;
        };
        self.push_bit(key(ordinal), "m", ordinal, row.published.is_some());
        self.push_bit(key(ordinal), "f", ordinal, row.is_failed());
        self.push_bit(key(ordinal), "s", ordinal, row.is_skipped());
    }

    /// Adds the update and the run's progress if something was published.
    fn add_update(&mut self, old: Option<&Row>, new: &Row, known: &KnownState) {
        let Some((run, _)) = new.published else {
            return;
        };
        let ordinal = with_current_ordinal(new, known).map(|(_, ordinal)| ordinal);
        // The stamp identifies a publication: an unchanged one means that only other attributes changed.
        if old.is_none_or(|old| old.stamp != new.stamp)
            && let Some(ordinal) = ordinal
        {
            let updates = self.updates.entry(new.asset.clone()).or_default();
            updates.push(Update {
                stamp: new.stamp,
                ordinal,
            });
        }
        if old.and_then(|old| old.published).map(|(run, _)| run) == Some(run) {
            return;
        }
        if let Some(ordinal) = new.ordinal {
            let segment = Segment::index(ordinal);
            let key = keys::progress_row(run, Progress::Done, &new.asset, segment);
            self.push_bit(key, "b", ordinal, true);
        }
        // The run's own earlier failure or skip is resolved. The row keeps only the newest version that
        // published nothing; one of an older run means that this run has none here.
        if old
            .and_then(|old| old.unpublished)
            .is_some_and(|(unpublished, _)| unpublished >= run)
        {
            for row in [keys::failure_row, keys::skipped_row] {
                self.resolved
                    .insert(row(run, &new.asset, new.partition.as_ref()));
            }
        }
    }

    /// Archives the materialization that was published before.
    fn archive_superseded(
        &mut self,
        previous: Option<&Materialization>,
        current: Option<&Materialization>,
    ) {
        let Some(previous) = previous else { return };
        // Tells whether a check is still evaluated in the new record, with a condition on it.
        let is_still = |found: &CheckEvaluation, holds: fn(&CheckEvaluation) -> bool| {
            let checks = current.into_iter().flat_map(|current| &current.checks);
            let mut same = checks.filter(|now| now.check == found.check);
            same.any(holds)
        };
        // A later attempt of the same run may pass a check that failed before.
        if current.is_some_and(|current| current.run == previous.run) {
            let resolved = previous
                .checks
                .iter()
                .filter(|found| found.fails_run() && !is_still(found, CheckEvaluation::fails_run));
            self.resolved.extend(resolved.map(|found| {
                keys::failed_check_row(previous.run, &previous.target, &found.check.name)
            }));
        }
        // The same attempt again replaces its record, and leaves no history.
        if current.is_some_and(|current| {
            (current.run, current.attempt) == (previous.run, previous.attempt)
        }) {
            return;
        }
        for event in events_of(previous.clone()) {
            self.archive.extend(ok_or_log(event_row(&event)));
        }
        // A check that the new record does not evaluate keeps its last evaluation, in its own row.
        for found in previous
            .checks
            .iter()
            .filter(|found| !is_still(found, |_| true))
        {
            self.checks.extend(ok_or_log(latest_check(found)));
        }
    }

    /// Updates the failing partitions of the checks that were published with a partition.
    fn update_inline_checks(
        &mut self,
        previous: Option<&Materialization>,
        current: &Materialization,
    ) {
        for found in &current.checks {
            let before = previous
                .into_iter()
                .flat_map(|previous| &previous.checks)
                .find(|before| before.check == found.check);
            let marked = match before {
                Some(before) => is_failing(before),
                // Its own row may have marked the partition as failing, unless the partition is new.
                None => previous.is_some(),
            };
            if is_failing(found) || marked {
                self.failing.push(failing_mark(found));
            }
        }
    }

    /// The own row of a check: a new evaluation.
    fn apply_check(&mut self, change: &Change) {
        let decode =
            |image: &Option<Item>| image.as_ref().and_then(|row| decode_evaluation(row).ok());
        let previous = decode(&change.old);
        let Some(current) = decode(&change.new) else {
            return;
        };
        self.changes.changed.insert(current.target.asset.clone());
        if is_failing(&current) || previous.as_ref().is_none_or(is_failing) {
            self.failing.push(failing_mark(&current));
        }
        // A later evaluation of the same run resolves its failed check.
        if let Some(previous) = previous
            && previous.run == current.run
            && previous.fails_run()
            && !current.fails_run()
        {
            let key = keys::failed_check_row(previous.run, &previous.target, &previous.check.name);
            self.resolved.insert(key);
        }
    }

    /// Notes the end of a run from the run's own row.
    fn apply_run(&mut self, change: &Change) {
        let status = |image: &Option<Item>| {
            let status = image.as_ref()?.text("status")?;
            RunStatus::ALL
                .into_iter()
                .find(|known| known.as_str() == status)
        };
        // From one finished status to another is an end as well: a failed run may end again as succeeded.
        let is_finished = |status: &RunStatus| status.is_finished();
        if let Some(run) = keys::parse_run(&change.key)
            && status(&change.new).filter(is_finished) != status(&change.old).filter(is_finished)
            && status(&change.new).is_some_and(RunStatus::is_finished)
        {
            self.changes.ended.insert(run);
        }
    }

    /// Updates the bitmap of failed or of skipped partitions from the row of a run's attempt.
    fn apply_unpublished(&mut self, change: &Change) {
        let failed = keys::parse_failure(&change.key).map(|parsed| (Progress::Lost, parsed));
        let skipped = || keys::parse_skipped(&change.key).map(|found| (Progress::Skipped, found));
        let Some((kind, (run, asset, _))) = failed.or_else(skipped) else {
            return;
        };
        self.changes.changed.insert(asset.clone());
        let row = change.new.as_ref().or(change.old.as_ref());
        if let Some(ordinal) = row.and_then(|row| row.number("o")) {
            let key = keys::progress_row(run, kind, &asset, Segment::index(ordinal));
            self.push_bit(key, "b", ordinal, change.new.is_some());
        }
    }
}

/// Returns a row with its ordinal in the current layout. `None` if it has none, or while it is being
/// renumbered: the bitmaps are rebuilt after that.
fn with_current_ordinal<'a>(row: &'a Row, known: &'a KnownState) -> Option<(&'a Row, u64)> {
    let now = generation_of(&known.generations, &row.asset);
    let row = match row.generation.cmp(&now) {
        std::cmp::Ordering::Equal => row,
        std::cmp::Ordering::Greater => return None,
        std::cmp::Ordering::Less => known.current.get(&row.key())?,
    };
    Some((row, row.ordinal?))
}

#[cfg(test)]
mod tests;
