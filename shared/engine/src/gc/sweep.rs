//! Finding garbage, and removing it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::key::AssetKey;

use super::{GcError, SafeAge, Verdict, verdict};
use crate::{
    io::{IoError, IoManager, StoredAttempt},
    run_id::RunId,
    state::{PageRequest, PartitionRef, ReadConsistency, RunFilter, RunStatus, StateStore},
};

/// How many partitions are looked up at a time.
const AT_ONCE: usize = 500;

/// What is stored of an asset without any use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Garbage {
    /// The asset.
    pub asset: AssetKey,
    /// The attempts that can be removed.
    pub attempts: Vec<StoredAttempt>,
    /// How many attempts are kept that no materialization points at, because they are young or a run
    /// is under way.
    pub kept: u64,
    /// How many attempts are kept because the record does not know the run that wrote them.
    pub foreign: u64,
}

impl Garbage {
    /// The size of what can be removed.
    pub fn bytes(&self) -> u64 {
        self.attempts.iter().map(|attempt| attempt.bytes).sum()
    }
}

impl SafeAge {
    /// Reads which runs are not finished.
    ///
    /// # Errors
    /// [`GcError`] when the record cannot be read.
    pub async fn read(
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
        let mut oldest: Option<DateTime<Utc>> = None;
        loop {
            let runs = state.runs(&filter, &page).await?;
            let asked = runs.items.iter().map(|run| run.created_at);
            oldest = asked.chain(oldest).min();
            match runs.next {
                Some(next) => page.after = Some(next),
                None => return Ok(Self::new(now, age, oldest)),
            }
        }
    }
}

/// Finds what is stored of an asset without any use. `age` was read before: a run that began since
/// reads what is published since, which is no garbage.
///
/// `None` for a manager that cannot list, as one that keeps one attempt of a partition: it has no
/// garbage.
///
/// # Errors
/// [`GcError`] when the store or the record cannot be read.
pub async fn garbage(
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
        // A record is found by its key; a partition that the definition has no more has no ordinal.
        let target = |attempt: &StoredAttempt| PartitionRef {
            asset: asset.clone(),
            partition: attempt.address.partition.clone(),
            ordinal: 0,
        };
        let targets: Vec<PartitionRef> = stored.iter().map(target).collect();
        let latest = state.latest_many(&targets, ReadConsistency::Strong).await?;
        for (attempt, latest) in stored.iter().zip(&latest) {
            let mut verdict = verdict(attempt, latest.as_ref(), age);
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

/// Whether the record knows a run. `known` has the answers so far.
async fn is_known(
    state: &dyn StateStore,
    run: RunId,
    known: &mut BTreeMap<RunId, bool>,
) -> Result<bool, GcError> {
    if let Some(known) = known.get(&run) {
        return Ok(*known);
    }
    let is_known = state.run(run).await?.is_some();
    known.insert(run, is_known);
    Ok(is_known)
}

/// Removes what was found. What somebody else removed meanwhile is no error.
///
/// # Errors
/// [`GcError`] when something could not be removed; what came before it is.
pub async fn remove(manager: &dyn IoManager, garbage: &Garbage) -> Result<(), GcError> {
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
