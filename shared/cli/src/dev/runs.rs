//! Executing the runs that were requested.

use std::sync::Arc;

use chrono::TimeDelta;
use precip_engine::{
    run::{Clock, PlannedRun, Requested, RunEnd, RunPorts, SystemRandomness, plan_requested},
    state::{PlanSummary, Run},
};
use precip_local::executor::{Executor, Stop, TokioBodies, TokioSleeper};

use super::view::View;
use crate::{
    failure::Failure,
    launch::{plans, run_session, steps},
    output::duration,
    session::Session,
};

/// Executes runs of the queue.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    pub(super) session: Arc<Session>,
    pub(super) executor: Executor,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) view: Arc<View>,
    pub(super) stop: Stop,
}

impl Runs {
    /// Executes one run and says how it went. Whatever goes wrong ends on the record or in words.
    pub(super) async fn execute(&self, run: Run) {
        let name = format!("run {}", run.id);
        match self.try_execute(&run).await {
            Ok(text) => self.view.tell(self.clock.now(), &name, &text),
            Err(failure) => {
                let detail = failure.detail.join("; ");
                let text = format!("{} {detail}", failure.message);
                self.view.tell(self.clock.now(), &name, text.trim_end());
            }
        }
    }

    async fn try_execute(&self, run: &Run) -> Result<String, Failure> {
        let session = &self.session;
        let now = self.clock.now();
        let planned = match plan_requested(&session.definitions, &session.store, now, run).await? {
            Requested::Planned(planned) => *planned,
            Requested::Nothing(message) => return Ok(message),
            Requested::Never(error) => {
                return Err(Failure::usage(format!("cannot be planned: {error}")));
            }
        };
        plans::write(session.place.home()?, run.id, &planned.plan)?;
        session.store.set_plan(run.id, summary(&planned)).await?;
        let observer = self.view.observer(steps(&planned.plan));
        let ports = RunPorts {
            state: Arc::clone(&session.store),
            clock: Arc::clone(&self.clock),
            sleeper: Arc::new(TokioSleeper),
            randomness: Arc::new(SystemRandomness),
            bodies: Arc::new(TokioBodies),
            observer,
        };
        let open = run_session(session, ports, run.id, &planned).await?;
        let report = self
            .executor
            .execute(Arc::new(open), &planned, &self.stop)
            .await;
        let report = report.map_err(|error| {
            Failure::environment(error.to_string()).detail(&crate::failure::causes(&error))
        })?;
        let took = duration(TimeDelta::from_std(report.took).unwrap_or_default());
        let made = format!("{} materialized in {took}", report.materialized);
        Ok(match report.end {
            RunEnd::Succeeded => made,
            RunEnd::Failed { failed, held } => {
                let first = report.failures.first().map(crate::progress::failure);
                let first = first
                    .map(|failure| format!(": {failure}"))
                    .unwrap_or_default();
                format!("{made}, {failed} failed, {held} held back{first}")
            }
            RunEnd::Canceled => format!("{made}, stopped: `resume {}` goes on", run.id),
        })
    }
}

fn summary(planned: &PlannedRun) -> PlanSummary {
    PlanSummary {
        items: planned.plan.items(),
        waves: planned.plan.waves(),
        assets: planned.plan.assets(),
        pointer: None,
    }
}
