//! `resume`: continuing a run that was stopped or interrupted.

use std::{io::Write, sync::Arc};

use precip_engine::{
    run::{Clock, PlanRunError, SystemClock, SystemRandomness, new_run_id},
    state::{OwnerId, Run, RunChange, RunStatus},
};
use precip_local::{
    executor::Stop,
    home::{Takeover, take_over},
};

use super::{
    open, plan_file,
    start::{count_steps, home_failure, new_executor, plan_failure, refuse_detach, report_outcome},
    stop::Interrupts,
};
use crate::{
    args::RunControlArgs,
    exit::Exit,
    failure::Failure,
    progress,
    session::Session,
    target::{Deployment, Target},
};

/// Resumes a run: partitions that it has materialized are not made again.
///
/// # Errors
/// [`Failure`] when there is no such run, it is active, or it cannot be executed to its end.
pub(crate) async fn resume_run(
    session: &Session,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let run = session.find_run(id).await?;
    if run.status == RunStatus::Succeeded {
        session.print_note(&format!(
            "run {} has succeeded: there is nothing left to do",
            run.id
        ));
        return Ok(Exit::Done);
    }
    let home = match &session.target {
        Target::Local(home) => home,
        Target::Aws(deployment) => {
            return Err(not_resumable(
                deployment,
                &run,
                session.target.option_suffix(),
            ));
        }
    };
    refuse_detach(control)?;
    let stored = plan_file::read_plan(home, run.id)?;
    // A new owner id: the interrupted process owns the run under the run's id.
    let owner = OwnerId(new_run_id(&SystemClock, &SystemRandomness).to_string());
    let lock = home.lock_process(owner).map_err(home_failure)?;
    let now = SystemClock.now();
    let takeover = take_over(home, session.store.as_ref(), &run, &lock, now).await;
    if let Takeover::Alive(owner) = takeover.map_err(home_failure)? {
        return Err(
            Failure::usage(format!("run {} is active in another process", run.id))
                .with_detail(&format!("its owner is `{}`", owner.0))
                .with_help("wait for its end, or stop it there with Ctrl-C"),
        );
    }
    if run.status == RunStatus::Canceling {
        // Its process died before it could stop the run, which is stopped by now.
        let stopped = RunChange::new([RunStatus::Canceling], RunStatus::Canceled, now);
        session.store.change_run(run.id, stopped).await?;
    }
    let planned = match open::translate_stored_plan(session, &stored, run.id).await {
        Ok(planned) => planned,
        Err(PlanRunError::State(error)) => return Err(error.into()),
        Err(error) => {
            // The run cannot go on, and does not stay on record as if it could.
            let from = [RunStatus::Queued, RunStatus::Running];
            let refused = RunChange::new(from, RunStatus::Failed, now)
                .with_message(format!("could not be resumed: {error}"));
            session.store.change_run(run.id, refused).await?;
            return Err(plan_failure(error));
        }
    };
    if planned.plan != stored {
        // What the run records from here on has the current ordinals.
        plan_file::write_plan(home, run.id, &planned.plan)?;
    }
    let observer = progress::new_observer(count_steps(&planned.plan));
    let ports = open::local_ports(session, home, Arc::clone(&observer));
    let opened = open::open_run_session(session, ports.clone(), run.id, &planned).await?;
    let resumed = open::as_of_command(session, opened).resumed();
    let executor = new_executor(&lock, control);
    let stop = Stop::default();
    let interrupts = Interrupts::listen_for(stop.clone());
    let report = executor
        .resume_run(Arc::new(resumed), &planned, &stop)
        .await;
    drop((interrupts, observer, ports));
    report_outcome(session, run.id, &planned.plan, report, out).await
}

/// Returns the failure for a run of a deployment, with what to do there.
fn not_resumable(deployment: &Deployment, run: &Run, suffix: &str) -> Failure {
    let (id, arn) = (run.id, deployment.executions.execution_of_run(run));
    if run.status.is_finished() {
        let redrive = format!(
            "redrive its execution: aws stepfunctions redrive-execution --execution-arn {arn}"
        );
        Failure::usage(format!("run {id} is resumed by its execution"))
            .with_detail(&redrive)
            .with_help(format!(
                "or start a new run of the rest: `retry {id}{suffix}`"
            ))
    } else {
        Failure::usage(format!(
            "run {id} is {}: its execution is running",
            run.status
        ))
        .with_detail(&arn)
        .with_help(format!("`run {id}{suffix}` shows its progress"))
    }
}
