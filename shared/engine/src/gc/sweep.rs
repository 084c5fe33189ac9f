//! Finding and removing garbage.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::key::AssetKey;

use super::{GcError, SafeAge, Verdict, classify_attempt};
use crate::{
    io::{IoError, IoManager, StoredAttempt},
    run_id::RunId,
    state::{PageRequest, PartitionRef, ReadConsistency, RunFilter, RunStatus, StateStore},
};

/// The number of partitions looked up at a time.
const AT_ONCE: usize = 500;

/// The unreferenced stored data of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// The asset.
    pub asset: AssetKey,
    /// The attempts that can be removed.
    pub attempts: Vec<StoredAttempt>,
    /// The number of unreferenced attempts that are kept because they are young or a run is under
    /// way.
    pub kept: u64,
    /// The number of attempts that are kept because the record does not know the run that wrote
    /// them.
    pub foreign: u64,
}

impl Garbage {
    /// Returns the size of the removable attempts, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.attempts.iter().map(|attempt| attempt.bytes).sum()
    }
}

impl SafeAge {
    /// Reads the unfinished runs and derives the margin from the oldest one.
    ///
    /// # Errors
    /// [`GcError`] when the record cannot be read.
    pub async fn read_unfinished_runs(
        state: &dyn StateStore,
        now: DateTime<Utc>,
        age: TimeDelta,
    ) -> Result<Self, GcError> {
        let filter = RunFilter {
            statuses: RunStatus::ALL
                .into_iter()
                .filter(|status| !status.is_finished())
                .collect(),
            ..RunFilter::default()
        };
        let mut page = PageRequest::first(AT_ONCE);
        // Every unfinished run counts, so all pages are read.
        let mut oldest: Option<DateTime<Utc>> = None;
        loop {
            let runs = state.list_runs(&filter, &page).await?;
            let asked = runs.items.iter().map(|run| run.created_at);
            oldest = asked.chain(oldest).min();
            match runs.next {
                Some(next) => page.after = Some(next),
                None => return Ok(Self::new(now, age, oldest)),
            }
        }
    }
}

/// Finds the unreferenced stored data of an asset. `age` must be read before: a run that begins
/// later reads only what is published by then, which is no garbage.
///
/// Returns `None` for a manager that cannot list, such as one that keeps one attempt per partition
/// and so has no garbage.
///
/// # Errors
/// [`GcError`] when the IO manager or the record cannot be read.
pub async fn find_garbage(
    state: &dyn StateStore,
    manager: &dyn IoManager,
    asset: &AssetKey,
    age: &SafeAge,
) -> Result<Option<Garbage>, GcError> {
    let mut garbage = Garbage {
        asset: asset.clone(),
        attempts: Vec::new(),
        kept: 0,
        foreign: 0,
    };
    // Many attempts share a run, so each run is looked up once.
    let mut known = BTreeMap::new();
    let stored = match manager.list(asset).await {
        Err(IoError::Unsupported { .. }) => return Ok(None),
        Err(source) => {
            return Err(GcError::Io {
                asset: asset.clone(),
                doing: "listed",
                source,
            });
        }
        Ok(stored) => stored,
    };
    for stored in stored.chunks(AT_ONCE) {
        // Records are found by key, so the ordinal does not matter; a removed partition has none.
        let target = |attempt: &StoredAttempt| PartitionRef {
            asset: asset.clone(),
            partition: attempt.address.partition.clone(),
            ordinal: 0,
        };
        let targets: Vec<PartitionRef> = stored.iter().map(target).collect();
        let latest = state
            .latest_materializations(&targets, ReadConsistency::Strong)
            .await?;
        for (attempt, latest) in stored.iter().zip(&latest) {
            let mut verdict = classify_attempt(attempt, latest.as_ref(), age);
            // Without the run's record nothing proves that this project wrote the attempt.
            if verdict == Verdict::Garbage
                && !is_known(state, attempt.address.run, &mut known).await?
            {
                verdict = Verdict::Foreign;
            }
            match verdict {
                Verdict::Pointed => {}
                Verdict::Young | Verdict::UnderWay => garbage.kept += 1,
                Verdict::Foreign => garbage.foreign += 1,
                Verdict::Garbage => garbage.attempts.push(attempt.clone()),
            }
        }
    }
    Ok(Some(garbage))
}

/// Returns `true` if the record knows a run. `known` caches the answers.
async fn is_known(
    state: &dyn StateStore,
    run: RunId,
    known: &mut BTreeMap<RunId, bool>,
) -> Result<bool, GcError> {
    if let Some(known) = known.get(&run) {
        return Ok(*known);
    }
    let is_known = state.find_run(run).await?.is_some();
    known.insert(run, is_known);
    Ok(is_known)
}

/// Removes garbage. An attempt that is already gone is no error.
///
/// # Errors
/// [`GcError`] when an attempt cannot be removed; those before it are removed.
pub async fn remove_garbage(manager: &dyn IoManager, garbage: &Garbage) -> Result<(), GcError> {
    for attempt in &garbage.attempts {
        let removed = manager.remove(&attempt.pointer).await;
        removed.map_err(|source| GcError::Io {
            asset: garbage.asset.clone(),
            doing: "removed",
            source,
        })?;
    }
    Ok(())
}
