//! `resume`: continuing a run that was stopped or interrupted.

use std::{io::Write, sync::Arc};

use precip_engine::run::new_run_id;
use precip_engine::state::{OwnerId, Run, RunChange, RunStatus};
use precip_local::{
    executor::Stop,
    home::{Takeover, take_over},
};

use super::{
    open, plan_file,
    start::{count_steps, home_failure, new_executor, refuse_detach, report_outcome},
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
    let planned = open::with_context(session, plan_file::read_plan(home, run.id)?).await?;
    let observer = progress::new_observer(count_steps(&planned.plan));
    let ports = open::local_ports(session, Arc::clone(&observer));
    let opened = open::open_run_session(session, ports.clone(), run.id, &planned).await?;
    let resumed = open::as_of_command(session, opened).resumed();
    // A new owner id: the interrupted process owns the run under the run's id.
    let owner = OwnerId(new_run_id(ports.clock.as_ref(), ports.randomness.as_ref()).to_string());
    let lock = home.lock_process(owner).map_err(home_failure)?;
    let now = ports.clock.now();
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
