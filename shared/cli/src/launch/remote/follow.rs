//! [`Follow`]: watching a run until its end.

use std::{collections::BTreeSet, io::Write, pin::pin, time::Duration};

use precip_core::plan::{Plan, Tally};
use precip_engine::{
    deployment::Execution,
    machine::{CaughtError, Planner},
    run::RunEnd,
    run_id::RunId,
    state::{
        Failure as FailedAttempt, PageRequest, PartitionRef, Run, RunKey, RunProgress, RunStatus,
    },
};
use precip_local::executor::RunReport;

use super::{not_reached, refused};
use crate::{
    exit::Exit,
    failure::Failure,
    launch::report,
    place::Deployment,
    progress::{self, Display},
    session::Session,
};

/// How long between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// How often in a row looking may fail for a passing reason, and an execution that was just started
/// may be unknown.
const PATIENCE: u32 = 30;
/// How often progress is asked for after the end, while it is behind.
const LATE: u32 = 10;
/// How many failures are told while the run is under way. All of them are on record.
const TOLD: usize = 1_000;

/// The run that is waited for.
#[derive(Debug, Clone)]
pub(super) enum Awaited {
    /// One whose id is known.
    Id(RunId),
    /// The one of a key.
    Key(RunKey),
}

impl Awaited {
    /// Its id, where it is known.
    pub(super) fn id(&self) -> Option<RunId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Key(_) => None,
        }
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        self.id()
            .map_or_else(|| "the run".to_owned(), |id| format!("run {id}"))
    }
}

/// Watches a run.
pub(super) struct Follow<'a> {
    session: &'a Session,
    deployment: &'a Deployment,
    planner: Planner,
    awaited: Awaited,
    arn: String,
    plan: &'a Plan,
    display: Box<dyn Display>,
    told: BTreeSet<PartitionRef>,
    unknown: u32,
}

/// How it came to its end.
enum End {
    /// With a run.
    Run(Box<Run>),
    /// Without one.
    Without(Execution),
}

impl<'a> Follow<'a> {
    /// Begins to watch.
    ///
    /// # Errors
    /// [`Failure`] when the project's ops wait for each other.
    pub(super) fn new(
        session: &'a Session,
        deployment: &'a Deployment,
        awaited: Awaited,
        arn: String,
        plan: &'a Plan,
    ) -> Result<Self, Failure> {
        Ok(Self {
            planner: deployment.planner(&session.definitions)?,
            display: progress::display(plan.items()),
            session,
            deployment,
            awaited,
            arn,
            plan,
            told: BTreeSet::new(),
            unknown: 0,
        })
    }

    /// Shows how far the run is until it ends or the person has seen enough: then the run goes on.
    ///
    /// # Errors
    /// [`Failure`] when the run cannot be watched any more. It goes on.
    pub(super) async fn follow_to_end(mut self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        let mut trouble = 0;
        let end = loop {
            match self.look().await {
                Ok(Some(end)) => break end,
                Ok(None) => trouble = 0,
                Err(failure) if failure.exit == Exit::Environment && trouble < PATIENCE => {
                    trouble += 1;
                }
                Err(failure) => return Err(self.out_of_sight(failure)),
            }
            tokio::select! {
                pressed = &mut interrupted => match pressed {
                    Ok(()) => return Ok(self.left_alone()),
                    // Nobody can press it then.
                    Err(_) => tokio::time::sleep(EVERY).await,
                },
                () = tokio::time::sleep(EVERY) => {}
            }
        };
        match end {
            End::Run(run) if run.status.is_finished() => self.report(*run, out).await,
            End::Run(run) => {
                self.session.say(&format!(
                    "run {} was started for this key already: it is {}",
                    run.id, run.status
                ));
                Ok(Exit::Done)
            }
            End::Without(execution) => self.without(&execution),
        }
    }

    /// One look; answers the end once it is there.
    async fn look(&mut self) -> Result<Option<End>, Failure> {
        let run = self.find().await?;
        if let Some(run) = &run {
            let progress = self.deployment.store.progress(run.id).await?;
            self.show(run, progress).await?;
            if run.status.is_finished() {
                return Ok(Some(End::Run(Box::new(run.clone()))));
            }
        }
        let execution = self.deployment.executions.describe(&self.arn).await;
        let Some(execution) = execution.map_err(not_reached)? else {
            // Step Functions may need a moment to know what it started.
            self.unknown += 1;
            return match self.unknown > PATIENCE {
                true => Err(Failure::usage(format!(
                    "there is no execution `{}`",
                    self.arn
                ))),
                false => Ok(None),
            };
        };
        if !execution.status.is_ended() {
            return Ok(None);
        }
        // Once more: the run may have come to its end between the two.
        Ok(Some(match self.find().await? {
            Some(run) => {
                let settled = self.planner.settled(&run, &execution).await;
                End::Run(Box::new(settled.map_err(refused)?))
            }
            None => End::Without(execution),
        }))
    }

    async fn find(&self) -> Result<Option<Run>, Failure> {
        let store = &self.deployment.store;
        Ok(match &self.awaited {
            Awaited::Id(id) => store.run(*id).await?,
            Awaited::Key(key) => store.run_of_key(key).await?,
        })
    }

    async fn show(&mut self, run: &Run, progress: RunProgress) -> Result<(), Failure> {
        let told = u64::try_from(self.told.len()).unwrap_or(u64::MAX);
        if progress.failed > told && self.told.len() < TOLD {
            for failure in self.failures(run.id).await? {
                if self.told.insert(failure.target.clone()) {
                    self.display.line(&progress::failed_attempt(&failure));
                }
            }
        }
        self.display.count(done(progress), self.items(run));
        Ok(())
    }

    async fn failures(&self, run: RunId) -> Result<Vec<FailedAttempt>, Failure> {
        let page = PageRequest::first(TOLD);
        Ok(self.deployment.store.failures(run, &page).await?.items)
    }

    fn items(&self, run: &Run) -> u64 {
        let planned = run.plan.as_ref().map(|plan| plan.items);
        planned.unwrap_or_else(|| self.plan.items())
    }

    /// Tells how it went, once the record is complete.
    async fn report(mut self, run: Run, out: &mut dyn Write) -> Result<Exit, Failure> {
        let total = self.items(&run);
        let mut progress = self.deployment.store.progress(run.id).await?;
        for _ in 0..LATE {
            // What was stopped never makes the rest.
            if done(progress) >= total || run.status == RunStatus::Canceled {
                break;
            }
            tokio::time::sleep(EVERY).await;
            progress = self.deployment.store.progress(run.id).await?;
        }
        self.show(&run, progress).await?;
        drop(self.display);
        let end = match run.status {
            RunStatus::Succeeded => RunEnd::Succeeded,
            RunStatus::Canceled => RunEnd::Canceled,
            _ => RunEnd::Failed {
                failed: progress.failed,
                held: progress.skipped,
            },
        };
        if progress.failed == 0
            && let Some(why) = run.message.as_ref().filter(|_| end != RunEnd::Succeeded)
        {
            self.session.say(&format!("run {}: {why}", run.id));
        }
        let took = match (run.started_at, run.finished_at) {
            (Some(started), Some(finished)) => (finished - started).to_std().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let report = RunReport {
            end,
            tally: Tally {
                total: total.max(done(progress)),
                running: 0,
                succeeded: progress.succeeded,
                failed: progress.failed,
                held: progress.skipped,
            },
            materialized: progress.succeeded,
            failures: Vec::new(),
            took,
        };
        report::tell(self.session, run.id, self.plan, &report, out).await
    }

    /// The execution ended, and there is no run: it was refused, or there was nothing to do.
    fn without(self, execution: &Execution) -> Result<Exit, Failure> {
        drop(self.display);
        let Some(error) = &execution.error else {
            let message = execution.output.as_deref().and_then(message);
            let message = message.unwrap_or_else(|| "nothing to do".to_owned());
            self.session.say(&message);
            return Ok(Exit::Done);
        };
        let caught = CaughtError {
            error: error.clone(),
            cause: execution.cause.clone().unwrap_or_default(),
        };
        let exit = match error.as_str() {
            "Precip.BadInput" => Exit::Usage,
            _ => Exit::RunFailed,
        };
        Err(Failure::new(exit, caught.message())
            .detail(&format!(
                "the execution ended before there was a run: {}",
                self.arn
            ))
            .help(
                "if this machine's project is another than the deployed one, deploy it; the \
                 planner's log says more",
            ))
    }

    /// The person has seen enough.
    fn left_alone(self) -> Exit {
        drop(self.display);
        let (name, suffix) = (self.awaited.name(), self.session.place.suffix());
        let id = self
            .awaited
            .id()
            .map_or_else(|| "latest".to_owned(), |id| id.to_string());
        self.session.say(&format!(
            "{name} goes on: `run {id}{suffix}` shows how far it is, `cancel {id}{suffix}` stops it"
        ));
        Exit::RunFailed
    }

    fn out_of_sight(self, failure: Failure) -> Failure {
        drop(self.display);
        let note = format!("{} goes on meanwhile: {}", self.awaited.name(), self.arn);
        failure.detail(&note)
    }
}

/// What is made, or given up.
fn done(progress: RunProgress) -> u64 {
    progress.succeeded + progress.failed + progress.skipped
}

/// What the planner said in place of a first wave.
fn message(output: &str) -> Option<String> {
    let output: serde_json::Value = serde_json::from_str(output).ok()?;
    output.get("message")?.as_str().map(str::to_owned)
}
