//! Runs: read, decided by the rules of the port, written back if nobody was faster.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_engine::{
    run_id::RunId,
    state::{
        CheckEvaluation, CreatedRun, Failure, NewRun, OwnerId, Page, PageRequest, PlanSummary,
        ReadConsistency, Run, RunChange, RunChanged, RunFilter, RunKey, RunMade, RunProgress,
        RunStore, Skipped, StateError, StateResult,
    },
};

use super::{
    call::{Guard, Op, Patience, Transacted},
    codec::{pack, unpack},
    item::{Attributes, Item, item, number, text},
    keys,
    store::DynamoStore,
};

/// A run's row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunRow {
    pub(super) run: Run,
    /// How often the row was written: who writes back names what was read.
    revision: u64,
    /// How often the run ended. Attempts begun before an end are not under way after it.
    pub(super) ends: u64,
}

impl RunRow {
    pub(super) fn of(row: &Item) -> StateResult<Self> {
        Ok(Self {
            run: unpack(row, "r", "the run")?,
            revision: row.number("rev").unwrap_or_default(),
            ends: row.number("ends").unwrap_or_default(),
        })
    }

    fn item(&self) -> StateResult<Item> {
        let id = self.run.id;
        Ok(item(
            &keys::run(id),
            [
                ("rev", number(self.revision)),
                ("ends", number(self.ends)),
                ("status", text(self.run.status.as_str())),
                ("r", pack(&self.run, || format!("run {id}"))?),
            ],
        ))
    }
}

/// How many writes creating a run takes.
pub(super) const WRITES_OF_A_RUN: usize = 3;

/// The writes that create a run: its row, its entry in the list, its key.
pub(super) fn creation(run: &Run) -> StateResult<Vec<Op>> {
    let absent = || Guard::when("attribute_not_exists(pk)");
    let row = RunRow {
        run: run.clone(),
        revision: 1,
        ends: 0,
    };
    let mut ops = vec![
        Op::Put(row.item()?, absent()),
        Op::Put(item(&keys::run_list(run.id), []), Guard::none()),
    ];
    if let Some(key) = &run.key {
        let key = keys::run_key(key).checked()?;
        let row = item(&key, [("run", text(run.id.to_string()))]);
        ops.push(Op::Put(row, absent()));
    }
    Ok(ops)
}

impl DynamoStore {
    pub(super) async fn run_row(&self, run: RunId) -> StateResult<Option<RunRow>> {
        let row = self
            .table
            .get(&keys::run(run), ReadConsistency::Strong)
            .await?;
        row.as_ref().map(RunRow::of).transpose()
    }

    pub(super) async fn known_run(&self, run: RunId) -> StateResult<RunRow> {
        let row = self.run_row(run).await?;
        row.ok_or_else(|| StateError::unknown_run(run))
    }

    async fn run_of(&self, key: &RunKey) -> StateResult<Option<Run>> {
        let key = keys::run_key(key).checked()?;
        let row = self.table.get(&key, ReadConsistency::Strong).await?;
        match row.and_then(|row| row.parsed("run")) {
            Some(run) => Ok(self.run_row(run).await?.map(|row| row.run)),
            None => Ok(None),
        }
    }

    /// The run that a request would create again: of the same key, or else of the same id.
    pub(super) async fn existing(
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

    /// Changes a run. `change` may be called several times, each time with the run as it is then.
    async fn update_run<T>(
        &self,
        id: RunId,
        mut change: impl FnMut(&mut Run) -> T + Send,
    ) -> StateResult<T> {
        let mut patience = Patience::new("change a run");
        loop {
            let mut row = self.known_run(id).await?;
            let before = row.clone();
            let answer = change(&mut row.run);
            if row == before {
                return Ok(answer);
            }
            let ended = row.run.status.is_finished() && !before.run.status.is_finished();
            row.ends += u64::from(ended);
            row.revision += 1;
            let guard = Guard::when("rev = :rev").value(":rev", number(before.revision));
            if self
                .table
                .write(Op::Put(row.item()?, guard))
                .await?
                .is_done()
            {
                return Ok(answer);
            }
            patience.wait().await?;
        }
    }
}

#[async_trait]
impl RunStore for DynamoStore {
    async fn create_run(&self, new: NewRun) -> StateResult<CreatedRun> {
        let run = new.into_run();
        self.note_day(run.id).await?;
        let mut patience = Patience::new("create a run");
        loop {
            if self.table.transact(creation(&run)?).await? == Transacted::Done {
                return Ok(CreatedRun::New(Box::new(run)));
            }
            if let Some(known) = self.existing(run.key.as_ref(), run.id).await? {
                return Ok(CreatedRun::Existing(Box::new(known)));
            }
            patience.wait().await?;
        }
    }

    async fn run(&self, run: RunId) -> StateResult<Option<Run>> {
        Ok(self.run_row(run).await?.map(|row| row.run))
    }

    async fn run_of_key(&self, key: &RunKey) -> StateResult<Option<Run>> {
        self.run_of(key).await
    }

    async fn runs(&self, filter: &RunFilter, page: &PageRequest) -> StateResult<Page<Run>> {
        self.list_runs(filter, page).await
    }

    async fn set_plan(&self, run: RunId, plan: PlanSummary) -> StateResult<()> {
        self.update_run(run, |run| run.plan = Some(plan.clone()))
            .await
    }

    async fn change_run(&self, run: RunId, change: RunChange) -> StateResult<RunChanged> {
        self.update_run(run, |run| {
            if !change.applies_to(run.status) {
                return RunChanged::Refused(Box::new(run.clone()));
            }
            run.apply(&change);
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
        self.update_run(run, |run| run.claim(owner.clone(), now, stale_before))
            .await
    }

    async fn heartbeat(
        &self,
        run: RunId,
        owner: &OwnerId,
        now: DateTime<Utc>,
    ) -> StateResult<RunChanged> {
        self.update_run(run, |run| run.beat(owner, now)).await
    }

    async fn skip(&self, run: RunId, skipped: Vec<Skipped>) -> StateResult<()> {
        self.add_skips(run, skipped).await
    }

    async fn skipped(&self, run: RunId) -> StateResult<Vec<Skipped>> {
        self.list_skips(run).await
    }

    async fn failures(&self, run: RunId, page: &PageRequest) -> StateResult<Page<Failure>> {
        self.list_failures(run, page).await
    }

    async fn failed_checks(
        &self,
        run: RunId,
        page: &PageRequest,
    ) -> StateResult<Page<CheckEvaluation>> {
        self.list_failed_checks(run, page).await
    }

    async fn made(&self, run: RunId) -> StateResult<RunMade> {
        self.run_made(run).await
    }

    async fn progress(&self, run: RunId) -> StateResult<RunProgress> {
        self.run_progress(run).await
    }
}
