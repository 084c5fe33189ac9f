//! Runs. A change reads the run, applies the rules of the port, and writes the run back on condition
//! that it was not written in between.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_engine::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, FailedAttempt, NewRun, OwnerId, Page, PageRequest,
        PlanSummary, PublishedByRun, ReadConsistency, Run, RunChange, RunChanged, RunFilter,
        RunKey, RunProgress, RunStore, SkippedAttempt, StateError, StateResult, UntriedPartitions,
    },
};

use super::{
    call::{Guard, Op, TransactOutcome, WriteOutcome},
    codec::{pack_record, unpack_record},
    item::{Attributes, Item, build_item, number_value, text_value},
    keys,
    store::DynamoStore,
};

/// A run's row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunRow {
    pub(super) run: Run,
    /// Number of writes to the row; a write is conditional on the revision that was read.
    revision: u64,
    /// Number of times the run has ended. Attempts begun before an end are not in progress after it.
    pub(super) ends: u64,
}

impl RunRow {
    pub(super) fn from_item(row: &Item) -> StateResult<Self> {
        Ok(Self {
            run: unpack_record(row, "r", "the run")?,
            revision: row.number("rev").unwrap_or_default(),
            ends: row.number("ends").unwrap_or_default(),
        })
    }

    fn to_item(&self) -> StateResult<Item> {
        let id = self.run.id;
        Ok(build_item(
            &keys::run_row(id),
            [
                ("rev", number_value(self.revision)),
                ("ends", number_value(self.ends)),
                ("status", text_value(self.run.status.as_str())),
                ("r", pack_record(&self.run, || format!("run {id}"))?),
            ],
        ))
    }
}

/// The attribute of a run's row that names its last write.
const LAST_WRITE: &str = "w";

/// The most writes that create a run.
pub(super) const WRITES_PER_RUN: usize = 3;

/// Returns the writes that create a run: its row, its entry in the run list, its run key.
pub(super) fn creation_ops(run: &Run) -> StateResult<Vec<Op>> {
    let absent = || Guard::with_condition("attribute_not_exists(pk)");
    let row = RunRow {
        run: run.clone(),
        revision: 1,
        ends: 0,
    };
    let mut ops = vec![
        Op::Put(row.to_item()?, absent()),
        Op::Put(
            build_item(&keys::run_list_row(run.id), []),
            Guard::unconditional(),
        ),
    ];
    if let Some(key) = &run.key {
        let key = keys::run_key_row(key).check_length()?;
        let row = build_item(&key, [("run", text_value(run.id.to_string()))]);
        ops.push(Op::Put(row, absent()));
    }
    Ok(ops)
}

impl DynamoStore {
    pub(super) async fn run_row(&self, run: RunId) -> StateResult<Option<RunRow>> {
        let row = self
            .table
            .get_row(&keys::run_row(run), ReadConsistency::Strong)
            .await?;
        row.as_ref().map(RunRow::from_item).transpose()
    }

    pub(super) async fn known_run(&self, run: RunId) -> StateResult<RunRow> {
        let row = self.run_row(run).await?;
        row.ok_or_else(|| StateError::unknown_run(run))
    }

    async fn run_of(&self, key: &RunKey) -> StateResult<Option<Run>> {
        let key = keys::run_key_row(key).check_length()?;
        let row = self.table.get_row(&key, ReadConsistency::Strong).await?;
        match row.and_then(|row| row.parse_text("run")) {
            Some(run) => Ok(self.run_row(run).await?.map(|row| row.run)),
            None => Ok(None),
        }
    }

    /// Finds the run that a request duplicates: the one with the same key, or else with the same id.
    pub(super) async fn find_existing_run(
        &self,
        key: Option<&RunKey>,
        id: RunId,
    ) -> StateResult<Option<Run>> {
        if let Some(key) = key
            && let Some(run) = self.run_of(key).await?
        {
            return Ok(Some(run));
        }
        Ok(self.run_row(id).await?.map(|row| row.run))
    }

    /// Changes a run. `change` may be called several times, each time with the current run.
    ///
    /// The client repeats a write whose answer is lost, and the repetition is refused if the write took
    /// effect. The row names its last write, so that such a refusal counts as success.
    async fn update_run<T>(
        &self,
        id: RunId,
        mut change: impl FnMut(&mut Run) -> T + Send,
    ) -> StateResult<T> {
        let mut backoff = self.table.backoff("change a run");
        loop {
            let mut row = self.known_run(id).await?;
            let before = row.clone();
            let answer = change(&mut row.run);
            // A change that makes no difference, such as a refusal, needs no write.
            if row == before {
                return Ok(answer);
            }
            let ended = row.run.status.is_finished() && !before.run.status.is_finished();
            // Attempts that began before this end are no longer in progress, even if the run is resumed.
            row.ends += u64::from(ended);
            row.revision += 1;
            let guard = Guard::with_condition("rev = :rev")
                .with_value(":rev", number_value(before.revision));
            let write = format!("{:016x}", fastrand::u64(..));
            let mut item = row.to_item()?;
            item.insert(LAST_WRITE.to_owned(), text_value(write.clone()));
            match self.table.write_op(Op::Put(item, guard)).await? {
                WriteOutcome::Done => return Ok(answer),
                WriteOutcome::Refused(Some(row)) if row.text(LAST_WRITE) == Some(&write) => {
                    return Ok(answer);
                }
                WriteOutcome::Refused(_) => backoff.wait().await?,
            }
        }
    }
}

#[async_trait]
impl RunStore for DynamoStore {
    async fn create_run(&self, new: NewRun) -> StateResult<CreatedRun> {
        let run = new.into_run();
        self.note_day(run.id).await?;
        let mut backoff = self.table.backoff("create a run");
        // A refused transaction means that the run or its key exists, unless the row of an unrelated
        // change was in conflict: then neither is found, and the transaction is repeated.
        loop {
            if self.table.transact_ops(creation_ops(&run)?).await? == TransactOutcome::Done {
                return Ok(CreatedRun::New(Box::new(run)));
            }
            if let Some(known) = self.find_existing_run(run.key.as_ref(), run.id).await? {
                return Ok(CreatedRun::Existing(Box::new(known)));
            }
            backoff.wait().await?;
        }
    }

    async fn find_run(&self, run: RunId) -> StateResult<Option<Run>> {
        Ok(self.run_row(run).await?.map(|row| row.run))
    }

    async fn find_run_by_key(&self, key: &RunKey) -> StateResult<Option<Run>> {
        self.run_of(key).await
    }

    async fn list_runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>> {
        self.read_run_list(filter, page).await
    }

    async fn newest_run(&self) -> StateResult<Option<RunId>> {
        self.read_newest_run().await
    }

    async fn set_run_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()> {
        self.update_run(run, |run| run.plan = Some(plan.clone()))
            .await
    }

    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged> {
        self.update_run(run, |run| {
            if !change.applies_to(run.status) {
                return RunChanged::Refused(Box::new(run.clone()));
            }
            run.apply_change(&change);
            RunChanged::Changed(Box::new(run.clone()))
        })
        .await
    }

    async fn claim_run(
        &self,
        run: RunId,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        self.update_run(run, |run| {
            run.claim_ownership(owner.clone(), now, stale_before)
        })
        .await
    }

    async fn record_heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        self.update_run(run, |run| run.record_heartbeat(owner, now))
            .await
    }

    async fn record_untried(&self, run: RunId, untried: Vec<UntriedPartitions>) -> StateResult<()> {
        self.merge_untried(run, untried).await
    }

    async fn run_untried(&self, run: RunId) -> StateResult<Vec<UntriedPartitions>> {
        self.list_untried(run).await
    }

    async fn run_failures(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<FailedAttempt>> {
        self.list_failures(run, page).await
    }

    async fn run_skipped_attempts(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<SkippedAttempt>> {
        self.list_skipped_attempts(run, page).await
    }

    async fn run_failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        self.list_failed_checks(run, page).await
    }

    async fn published_by(&self, run: RunId) -> StateResult<PublishedByRun> {
        self.read_published_by(run).await
    }

    async fn run_progress(&self, run: RunId) -> StateResult<RunProgress> {
        self.read_run_progress(run).await
    }
}
