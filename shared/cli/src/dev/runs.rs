//! [`RunExecutor`]: executing queued runs.

use std::sync::Arc;

use chrono::TimeDelta;
use precip_engine::{
    run::{Clock, PlannedRun, QueuedRunPlan, RunEnd, RunPorts, plan_queued_run},
    state::{PlanSummary, Run},
};
use precip_local::executor::{Executor, Stop, TokioOpRunner, TokioSleeper};

use super::view::View;
use crate::{
    failure::Failure,
    launch::{count_steps, open_run_session, write_plan},
    output::format_duration,
    session::Session,
};

/// Executes runs of the queue.
#[derive(Debug, Clone)]
pub(super) struct RunExecutor {
    pub(super) session: Arc<Session>,
    pub(super) executor: Executor,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) view: Arc<View>,
    pub(super) stop: Stop,
}

impl RunExecutor {
    /// Executes one run and shows its outcome. Failures are shown or recorded, not returned.
    pub(super) async fn execute_run(&self, run: Run) {
        let name = format!("run {}", run.id);
        match self.try_execute(&run).await {
            Ok(text) => self.view.show_event(self.clock.now(), &name, &text),
            Err(failure) => {
                let detail = failure.detail.join("; ");
                let text = format!("{} {detail}", failure.message);
                self.view
                    .show_event(self.clock.now(), &name, text.trim_end());
            }
        }
    }

    async fn try_execute(&self, run: &Run) -> Result<String, Failure> {
        let session = &self.session;
        let now = self.clock.now();
        let planned = match plan_queued_run(&session.definitions, &session.store, now, run).await? {
            QueuedRunPlan::Planned(planned) => *planned,
            QueuedRunPlan::NothingToDo(message) => return Ok(message),
            QueuedRunPlan::Invalid(error) => {
                return Err(Failure::usage(format!("cannot be planned: {error}")));
            }
        };
        // The plan file lets `resume` continue the run if this process dies.
        let home = session.target.local_home()?;
        write_plan(home, run.id, &planned.plan)?;
        session
            .store
            .set_run_plan(run.id, summarize_plan(&planned))
            .await?;
        let observer = self.view.new_observer(count_steps(&planned.plan));
        let ports = RunPorts {
            clock: Arc::clone(&self.clock),
            observer,
            long_texts: Arc::new(home.long_texts()),
            ..RunPorts::system(
                Arc::clone(&session.store),
                Arc::new(TokioSleeper),
                Arc::new(TokioOpRunner),
            )
        };
        let open = open_run_session(session, ports, run.id, &planned).await?;
        let report = self
            .executor
            .execute_run(Arc::new(open), &planned, &self.stop)
            .await;
        let report = report.map_err(|error| {
            Failure::environment(error.to_string())
                .with_detail(&crate::failure::cause_lines(&error))
        })?;
        let took = format_duration(TimeDelta::from_std(report.elapsed).unwrap_or_default());
        let made = format!("{} materialized in {took}", report.materialized);
        Ok(match report.end {
            RunEnd::Succeeded => made,
            RunEnd::Failed { failed, held } => {
                let first = report.failures.first().map_or_else(String::new, |failure| {
                    format!(": {}", crate::progress::describe_failure(failure))
                });
                format!("{made}, {failed} failed, {held} held back{first}")
            }
            RunEnd::Canceled => format!("{made}, stopped: `resume {}` resumes it", run.id),
        })
    }
}

fn summarize_plan(planned: &PlannedRun) -> PlanSummary {
    PlanSummary {
        items: planned.plan.pair_count(),
        waves: planned.plan.wave_count(),
        assets: planned.plan.partition_counts(),
        pointer: None,
    }
}
