//! `resume`: going on with a run that was stopped or interrupted.

use std::{io::Write, sync::Arc};

use precip_engine::run::new_run_id;
use precip_engine::state::{OwnerId, Run, RunChange, RunStatus};
use precip_local::{
    executor::Stop,
    home::{Takeover, take_over},
};

use super::{
    open, plan_file,
    start::{attached, executor, finish, home_failure, steps},
    stop::Interrupts,
};
use crate::{
    args::RunControlArgs,
    exit::Exit,
    failure::Failure,
    place::{Deployment, Place},
    progress,
    session::Session,
};

/// Goes on with a run: what it has made is not made again.
///
/// # Errors
/// [`Failure`] when there is no such run, it is at work or done, or it cannot be executed to its end.
pub async fn resume(
    session: &Session,
    id: &str,
    control: &RunControlArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let run = session.run(id).await?;
    if run.status == RunStatus::Succeeded {
        session.say(&format!(
            "run {} is done: there is nothing left to do",
            run.id
        ));
        return Ok(Exit::Done);
    }
    let home = match &session.place {
        Place::Local(home) => home,
        Place::Aws(deployment) => {
            return Err(elsewhere(deployment, &run, session.place.suffix()));
        }
    };
    attached(control)?;
    let planned = open::planned(session, plan_file::read(home, run.id)?).await?;
    let observer = progress::observer(steps(&planned.plan));
    let ports = open::ports(session, Arc::clone(&observer));
    let taken_up = open::run_session(session, ports.clone(), run.id, &planned)
        .await?
        .repeated();
    // An id of its own: the process that was interrupted had the run's.
    let owner = OwnerId(new_run_id(ports.clock.as_ref(), ports.randomness.as_ref()).to_string());
    let lock = home.lock_process(owner).map_err(home_failure)?;
    let now = ports.clock.now();
    let takeover = take_over(home, session.store.as_ref(), &run, &lock, now).await;
    if let Takeover::Alive(owner) = takeover.map_err(home_failure)? {
        return Err(
            Failure::usage(format!("run {} is at work in another process", run.id))
                .detail(&format!("its owner is `{}`", owner.0))
                .help("wait for its end, or stop it there with Ctrl-C"),
        );
    }
    if run.status == RunStatus::Canceling {
        // Its process ended before it could stop: it has stopped now.
        let stopped = RunChange::new([RunStatus::Canceling], RunStatus::Canceled, now);
        session.store.change_run(run.id, stopped).await?;
    }
    let executor = executor(&lock, control);
    let stop = Stop::default();
    let interrupts = Interrupts::listen(stop.clone());
    let report = executor.resume(Arc::new(taken_up), &planned, &stop).await;
    drop((interrupts, observer, ports));
    finish(session, run.id, &planned.plan, report, out).await
}

/// What to do about a run that a deployment carries out: nothing of it is on this machine.
fn elsewhere(deployment: &Deployment, run: &Run, suffix: &str) -> Failure {
    let (id, arn) = (run.id, deployment.executions.of_run(run));
    if run.status.is_finished() {
        let redrive = format!(
            "redrive its execution: aws stepfunctions redrive-execution --execution-arn {arn}"
        );
        Failure::usage(format!("run {id} goes on where its execution does"))
            .detail(&redrive)
            .help(format!(
                "or have a new run make what it left: `retry {id}{suffix}`"
            ))
    } else {
        Failure::usage(format!(
            "run {id} is {}: its execution is at work",
            run.status
        ))
        .detail(&arn)
        .help(format!("`run {id}{suffix}` shows how far it is"))
    }
}
