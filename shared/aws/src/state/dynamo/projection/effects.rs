//! [`Effects`]: what a batch of changes comes to. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use precip_core::key::AssetKey;
use precip_engine::{
    react::Happened,
    state::{CheckEvaluation, Materialization, RunStatus, Segment, StateResult},
};

use super::{
    super::{
        call::Op,
        checks::{evaluation, failing_mark, fails, latest_check},
        events::{event_row, events_of},
        item::{Attributes, Item},
        keys::{self, Key, Progress},
        row::Row,
        updates::Update,
    },
    bits::Bit,
    change::Change,
};

/// What has to be known beside the changes.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// By which generation of its layout each asset's partitions are numbered; 0 when missing.
    pub(super) generations: BTreeMap<AssetKey, u64>,
    /// The rows of [`doubtful`] changes as they are now.
    pub(super) current: HashMap<Key, Row>,
}

/// Writes that a batch of changes comes to. Each may be made again.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects {
    /// Rows of the event log.
    pub(super) archive: Vec<Item>,
    /// Evaluations that are not published with their partition any more.
    pub(super) checks: Vec<Op>,
    /// Bits of bitmap rows, in order.
    pub(super) bits: BTreeMap<Key, Vec<Bit>>,
    /// Partitions that fail a check, or do not any more.
    pub(super) failing: Vec<Op>,
    /// Failures and blocks that were made good.
    pub(super) made_good: BTreeSet<Key>,
    /// Updates, by asset.
    pub(super) updates: BTreeMap<AssetKey, Vec<Update>>,
    /// What else others may wait for.
    pub(super) happened: Happened,
}

fn rows(change: &Change) -> (Option<Row>, Option<Row>) {
    let row = |image: &Option<Item>| image.as_ref().and_then(Row::of);
    (row(&change.old), row(&change.new))
}

/// The assets whose generation has to be known.
pub(super) fn assets(changes: &[Change]) -> BTreeSet<AssetKey> {
    changes
        .iter()
        .filter_map(|change| keys::parse_latest(&change.key))
        .map(|(asset, _)| asset)
        .collect()
}

/// The latest rows that were perhaps numbered anew since: their ordinals have to be looked up. None,
/// unless a definition ever changed.
pub(super) fn doubtful(changes: &[Change], generations: &BTreeMap<AssetKey, u64>) -> BTreeSet<Key> {
    changes
        .iter()
        .filter_map(|change| rows(change).1)
        .filter(|row| row.generation < generation(generations, &row.asset))
        .map(|row| row.key())
        .collect()
}

fn generation(generations: &BTreeMap<AssetKey, u64>, asset: &AssetKey) -> u64 {
    generations.get(asset).copied().unwrap_or_default()
}

/// What cannot be read or written must not hold up the stream: it is reported and left out.
fn readable<T>(result: StateResult<T>) -> Option<T> {
    result
        .inspect_err(|error| tracing::error!(%error, "left out of what follows from a change"))
        .ok()
}

fn made(row: Option<&Row>) -> Option<Materialization> {
    readable(row?.materialization()).flatten()
}

impl Effects {
    /// What changes come to.
    pub(super) fn of(changes: &[Change], known: &Known) -> Self {
        let mut effects = Self::default();
        for change in changes {
            match change.key.pk.split_once('#') {
                Some(("L", _)) => effects.latest(change, known),
                Some(("X", _)) => effects.check(change),
                Some(("R", _)) if change.key.sk == keys::RUN => effects.run(change),
                Some(("R", _)) => effects.failure(change),
                Some(("D", set)) => {
                    effects.happened.keys.insert(set.to_owned());
                }
                _ => {}
            }
        }
        effects
    }

    fn bit(&mut self, key: Key, set: &'static str, ordinal: u64, value: bool) {
        let bits = self.bits.entry(key).or_default();
        bits.push(Bit {
            set,
            ordinal,
            value,
        });
    }

    fn latest(&mut self, change: &Change, known: &Known) {
        let (old, new) = rows(change);
        let (was, is) = (made(old.as_ref()), made(new.as_ref()));
        let failed = |row: &Option<Row>| row.as_ref().and_then(|row| row.failed);
        if new.is_none() || failed(&old) != failed(&new) {
            let asset = new.as_ref().or(old.as_ref()).map(|row| &row.asset);
            self.happened.changed.extend(asset.cloned());
        }
        self.statuses(old.as_ref(), new.as_ref(), known);
        if let Some(new) = &new {
            self.published(old.as_ref(), new, known);
        }
        self.superseded(was.as_ref(), is.as_ref());
        if let Some(is) = &is {
            self.inline_checks(was.as_ref(), is);
        }
    }

    /// The status bits of a partition.
    fn statuses(&mut self, old: Option<&Row>, new: Option<&Row>, known: &Known) {
        let Some(asset) = new.or(old).map(|row| &row.asset) else {
            return;
        };
        let now = generation(&known.generations, asset);
        let key = |ordinal| keys::statuses(asset, now, Segment::index(ordinal));
        // A row that was numbered anew has its bits in another generation's bitmaps already.
        let renumbered = new
            .zip(old)
            .is_some_and(|(new, old)| new.generation != old.generation);
        let left = old
            .filter(|_| !renumbered)
            .and_then(|row| row.ordinal)
            .filter(|ordinal| new.is_none_or(|new| new.ordinal != Some(*ordinal)));
        if let Some(ordinal) = left {
            self.bit(key(ordinal), "m", ordinal, false);
            self.bit(key(ordinal), "f", ordinal, false);
        }
        let Some((row, ordinal)) = new.and_then(|new| placed(new, known)) else {
            return;
        };
        self.bit(key(ordinal), "m", ordinal, row.published.is_some());
        self.bit(key(ordinal), "f", ordinal, row.failure().is_some());
    }

    /// The update, and what the run has done, when something was published.
    fn published(&mut self, old: Option<&Row>, new: &Row, known: &Known) {
        let Some((run, _)) = new.published else {
            return;
        };
        let ordinal = placed(new, known).map(|(_, ordinal)| ordinal);
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
            let key = keys::progress(run, Progress::Done, &new.asset, segment);
            self.bit(key, "b", ordinal, true);
        }
        // A failure of an older run cannot be this run's.
        if old
            .and_then(|old| old.failed)
            .is_some_and(|(failed, _)| failed >= run)
        {
            let key = keys::failure(run, &new.asset, new.partition.as_ref());
            self.made_good.insert(key);
        }
    }

    /// What was published before goes into the log.
    fn superseded(&mut self, was: Option<&Materialization>, is: Option<&Materialization>) {
        let Some(was) = was else { return };
        let still = |found: &CheckEvaluation, holds: fn(&CheckEvaluation) -> bool| {
            let checks = is.into_iter().flat_map(|is| &is.checks);
            let mut same = checks.filter(|now| now.check == found.check);
            same.any(holds)
        };
        if is.is_some_and(|is| is.run == was.run) {
            let good = was
                .checks
                .iter()
                .filter(|found| found.fails_run() && !still(found, CheckEvaluation::fails_run));
            let keys =
                good.map(|found| keys::failed_check(was.run, &was.target, &found.check.name));
            self.made_good.extend(keys);
        }
        if is.is_some_and(|is| (is.run, is.attempt) == (was.run, was.attempt)) {
            return;
        }
        for event in events_of(was.clone()) {
            self.archive.extend(readable(event_row(&event)));
        }
        for found in was.checks.iter().filter(|found| !still(found, |_| true)) {
            self.checks.extend(readable(latest_check(found)));
        }
    }

    fn inline_checks(&mut self, was: Option<&Materialization>, is: &Materialization) {
        for found in &is.checks {
            let before = was
                .into_iter()
                .flat_map(|was| &was.checks)
                .find(|before| before.check == found.check);
            let marked = match before {
                Some(before) => fails(before),
                // It may be among the failing as a check of its own, unless nothing was there.
                None => was.is_some(),
            };
            if fails(found) || marked {
                self.failing.push(failing_mark(found));
            }
        }
    }

    fn check(&mut self, change: &Change) {
        let read = |image: &Option<Item>| image.as_ref().and_then(|row| evaluation(row).ok());
        let (was, is) = (read(&change.old), read(&change.new));
        let Some(is) = is else { return };
        self.happened.changed.insert(is.target.asset.clone());
        if fails(&is) || was.as_ref().is_none_or(fails) {
            self.failing.push(failing_mark(&is));
        }
        if let Some(was) = was.filter(|was| was.run == is.run && was.fails_run() && !is.fails_run())
        {
            let key = keys::failed_check(was.run, &was.target, &was.check.name);
            self.made_good.insert(key);
        }
    }

    /// The row of a run itself: whether it has ended.
    fn run(&mut self, change: &Change) {
        let status = |image: &Option<Item>| {
            let status = image.as_ref()?.text("status")?;
            RunStatus::ALL
                .into_iter()
                .find(|known| known.as_str() == status)
        };
        let is_finished = |status: &RunStatus| status.is_finished();
        if let Some(run) = keys::parse_run(&change.key)
            && status(&change.new).filter(is_finished) != status(&change.old).filter(is_finished)
            && status(&change.new).is_some_and(RunStatus::is_finished)
        {
            self.happened.ended.insert(run);
        }
    }

    fn failure(&mut self, change: &Change) {
        let Some((run, asset, _)) = keys::parse_failure(&change.key) else {
            return;
        };
        self.happened.changed.insert(asset.clone());
        let row = change.new.as_ref().or(change.old.as_ref());
        if let Some(ordinal) = row.and_then(|row| row.number("o")) {
            let key = keys::progress(run, Progress::Lost, &asset, Segment::index(ordinal));
            self.bit(key, "b", ordinal, change.new.is_some());
        }
    }
}

/// A row with the ordinal that it has in the present layout. `None` when it has none, and while it is
/// being numbered anew: the bitmaps are made again after that.
fn placed<'a>(row: &'a Row, known: &'a Known) -> Option<(&'a Row, u64)> {
    let now = generation(&known.generations, &row.asset);
    let row = match row.generation.cmp(&now) {
        std::cmp::Ordering::Equal => row,
        std::cmp::Ordering::Greater => return None,
        std::cmp::Ordering::Less => known.current.get(&row.key())?,
    };
    Some((row, row.ordinal?))
}

#[cfg(test)]
mod tests;
