//! [`Follower`]: following a run on a deployment to its end.

use std::{collections::BTreeSet, io::Write, pin::pin, time::Duration};

use precip_core::plan::{Plan, Tally};
use precip_engine::{
    deployment::Execution,
    machine::{CaughtError, Planner},
    run::RunEnd,
    run_id::RunId,
    state::{FailedAttempt, PageRequest, PartitionRef, Run, RunKey, RunProgress, RunStatus},
};
use precip_local::executor::RunReport;

use super::{execution_failure, planner_failure};
use crate::{
    exit::Exit,
    failure::Failure,
    launch::report,
    progress::{self, Display},
    session::Session,
    target::Deployment,
};

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Number of polls in a row that may fail for a passing reason, and of polls in which an execution that
/// was just started may be unknown.
const MAX_FAILED_POLLS: u32 = 30;
/// Number of polls after the end of a run, while its progress is incomplete.
const MAX_LATE_POLLS: u32 = 10;
/// Maximum number of failures shown while the run is active. All of them are on record.
const MAX_SHOWN_FAILURES: usize = 1_000;

/// The run that a follower waits for.
#[derive(Debug, Clone)]
pub(super) enum AwaitedRun {
    /// The run with this id.
    Id(RunId),
    /// The run with this key, whose id is not known yet.
    Key(RunKey),
}

impl AwaitedRun {
    /// Returns the id, where it is known.
    pub(super) fn run_id(&self) -> Option<RunId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Key(_) => None,
        }
    }

    /// Returns the name of the run in messages.
    pub(super) fn display_name(&self) -> String {
        self.run_id()
            .map_or_else(|| "the run".to_owned(), |id| format!("run {id}"))
    }
}

/// Follows a run and shows its progress.
pub(super) struct Follower<'a> {
    session: &'a Session,
    deployment: &'a Deployment,
    planner: Planner,
    awaited: AwaitedRun,
    arn: String,
    plan: &'a Plan,
    display: Box<dyn Display>,
    /// Partitions whose failure was shown.
    shown_failures: BTreeSet<PartitionRef>,
    /// Number of polls in which the execution was unknown.
    unknown_polls: u32,
}

/// The end of an execution.
enum End {
    /// It had a run.
    Run(Box<Run>),
    /// It ended before there was a run.
    NoRun(Execution),
}

impl<'a> Follower<'a> {
    /// Creates a follower.
    ///
    /// # Errors
    /// [`Failure`] when the project's ops depend on each other in a circle.
    pub(super) fn new(
        session: &'a Session,
        deployment: &'a Deployment,
        awaited: AwaitedRun,
        arn: String,
        plan: &'a Plan,
    ) -> Result<Self, Failure> {
        Ok(Self {
            planner: deployment.new_planner(&session.definitions)?,
            display: progress::new_display(plan.pair_count()),
            session,
            deployment,
            awaited,
            arn,
            plan,
            shown_failures: BTreeSet::new(),
            unknown_polls: 0,
        })
    }

    /// Shows the progress of the run until its end, or until Ctrl-C. The run itself continues then.
    ///
    /// # Errors
    /// [`Failure`] when the run can no longer be read. It continues.
    pub(super) async fn follow_to_end(mut self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        let mut failed_polls = 0;
        let end = loop {
            match self.poll_run().await {
                Ok(Some(end)) => break end,
                Ok(None) => failed_polls = 0,
                Err(failure)
                    if failure.exit == Exit::Environment && failed_polls < MAX_FAILED_POLLS =>
                {
                    failed_polls += 1;
                }
                Err(failure) => return Err(self.stop_on_failure(failure)),
            }
            tokio::select! {
                pressed = &mut interrupted => match pressed {
                    Ok(()) => return Ok(self.stop_following()),
                    // Ctrl-C cannot be received: only the end of the run stops the loop.
                    Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
                },
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        };
        match end {
            End::Run(run) if run.status.is_finished() => self.report_end(*run, out).await,
            End::Run(run) => {
                self.session.print_note(&format!(
                    "run {} was started for this key already: it is {}",
                    run.id, run.status
                ));
                Ok(Exit::Done)
            }
            End::NoRun(execution) => self.report_no_run(&execution),
        }
    }

    /// Reads run and execution once. Returns the end when it has come.
    async fn poll_run(&mut self) -> Result<Option<End>, Failure> {
        let run = self.find_run().await?;
        if let Some(run) = &run {
            let progress = self.deployment.store.run_progress(run.id).await?;
            self.show_progress(run, progress).await?;
            if run.status.is_finished() {
                return Ok(Some(End::Run(Box::new(run.clone()))));
            }
        }
        let execution = self
            .deployment
            .executions
            .describe_execution(&self.arn)
            .await;
        let Some(execution) = execution.map_err(execution_failure)? else {
            // Step Functions may not know an execution right after its start.
            self.unknown_polls += 1;
            return if self.unknown_polls > MAX_FAILED_POLLS {
                let message = format!("there is no execution `{}`", self.arn);
                Err(Failure::usage(message))
            } else {
                Ok(None)
            };
        };
        if !execution.status.is_ended() {
            return Ok(None);
        }
        // Read again: the run may have been recorded between the two reads.
        Ok(Some(match self.find_run().await? {
            Some(run) => {
                let settled = self.planner.end_with_execution(&run, &execution).await;
                End::Run(Box::new(settled.map_err(planner_failure)?))
            }
            None => End::NoRun(execution),
        }))
    }

    async fn find_run(&self) -> Result<Option<Run>, Failure> {
        let store = &self.deployment.store;
        Ok(match &self.awaited {
            AwaitedRun::Id(id) => store.find_run(*id).await?,
            AwaitedRun::Key(key) => store.find_run_by_key(key).await?,
        })
    }

    async fn show_progress(&mut self, run: &Run, progress: RunProgress) -> Result<(), Failure> {
        let shown = u64::try_from(self.shown_failures.len()).unwrap_or(u64::MAX);
        if progress.failed > shown && self.shown_failures.len() < MAX_SHOWN_FAILURES {
            for failure in self.load_failures(run.id).await? {
                if self.shown_failures.insert(failure.target.clone()) {
                    self.display
                        .show_line(&progress::describe_attempt(&failure));
                }
            }
        }
        self.display
            .show_count(progress.ended_count(), self.count_items(run));
        Ok(())
    }

    async fn load_failures(&self, run: RunId) -> Result<Vec<FailedAttempt>, Failure> {
        let page = PageRequest::first(MAX_SHOWN_FAILURES);
        Ok(self.deployment.store.run_failures(run, &page).await?.items)
    }

    fn count_items(&self, run: &Run) -> u64 {
        let planned = run.plan.as_ref().map(|plan| plan.items);
        planned.unwrap_or_else(|| self.plan.pair_count())
    }

    /// Reports the outcome, once the progress on record is complete.
    async fn report_end(mut self, run: Run, out: &mut dyn Write) -> Result<Exit, Failure> {
        let total = self.count_items(&run);
        let mut progress = self.deployment.store.run_progress(run.id).await?;
        for _ in 0..MAX_LATE_POLLS {
            // A canceled run never completes its items.
            if progress.ended_count() >= total || run.status == RunStatus::Canceled {
                break;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
            progress = self.deployment.store.run_progress(run.id).await?;
        }
        self.show_progress(&run, progress).await?;
        // The progress bar ends before the report is printed.
        drop(self.display);
        let end = match run.status {
            RunStatus::Succeeded => RunEnd::Succeeded,
            RunStatus::Canceled => RunEnd::Canceled,
            _ => RunEnd::Failed {
                failed: progress.failed,
                held: progress.held_back,
            },
        };
        if progress.failed == 0
            && let Some(why) = run.message.as_ref().filter(|_| end != RunEnd::Succeeded)
        {
            self.session.print_note(&format!("run {}: {why}", run.id));
        }
        let took = match (run.started_at, run.finished_at) {
            (Some(started), Some(finished)) => (finished - started).to_std().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let report = RunReport {
            end,
            tally: Tally {
                total: total.max(progress.ended_count()),
                running: 0,
                succeeded: progress.succeeded,
                failed: progress.failed,
                held: progress.held_back,
                skipped: progress.skipped,
            },
            materialized: progress.succeeded,
            skipped: progress.skipped,
            failures: Vec::new(),
            elapsed: took,
        };
        report::report_run(self.session, run.id, self.plan, &report, out).await
    }

    /// Reports an execution that ended without a run: it was refused, or there was nothing to do.
    fn report_no_run(self, execution: &Execution) -> Result<Exit, Failure> {
        drop(self.display);
        let Some(error) = &execution.error else {
            let message = execution.output.as_deref().and_then(planner_message);
            self.session
                .print_note(message.as_deref().unwrap_or("nothing to do"));
            return Ok(Exit::Done);
        };
        let caught = CaughtError {
            error: error.clone(),
            cause: execution.cause.clone().unwrap_or_default(),
        };
        // The planner refuses an invalid request with this error.
        let exit = match error.as_str() {
            "Precip.BadInput" => Exit::Usage,
            _ => Exit::RunFailed,
        };
        Err(Failure::new(exit, caught.message())
            .with_detail(&format!(
                "the execution ended before there was a run: {}",
                self.arn
            ))
            .with_help(
                "if the project on this machine differs from the deployed one, deploy it; see also \
                 the planner's log",
            ))
    }

    /// Stops following at Ctrl-C, and says how to look at the run.
    fn stop_following(self) -> Exit {
        drop(self.display);
        let (name, suffix) = (
            self.awaited.display_name(),
            self.session.target.option_suffix(),
        );
        let id = self
            .awaited
            .run_id()
            .map_or_else(|| "latest".to_owned(), |id| id.to_string());
        self.session.print_note(&format!(
            "{name} continues: `run {id}{suffix}` shows its progress, `cancel {id}{suffix}` stops it"
        ));
        Exit::RunFailed
    }

    /// Stops following after a failure, which gets a note about the run.
    fn stop_on_failure(self, failure: Failure) -> Failure {
        drop(self.display);
        let note = format!("{} continues: {}", self.awaited.display_name(), self.arn);
        failure.with_detail(&note)
    }
}

/// Returns the message of a planner that answered without a first wave.
fn planner_message(output: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(output).ok()?;
    answer.get("message")?.as_str().map(str::to_owned)
}
