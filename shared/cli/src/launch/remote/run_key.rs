//! Requests under a key: the same key never starts a second run.

use std::io::Write;

use precip_engine::{
    deployment::{Started, name_of_key, name_of_key_again},
    run::{SystemClock, SystemRandomness, new_run_id},
    state::{Run, RunKey},
};

use super::{
    begin::{Begin, go_on},
    follow::Awaited,
    not_reached,
};
use crate::{exit::Exit, failure::Failure, place::Deployment, session::Session};

/// Starts an execution under a name that follows from the key, and follows it, unless the request was
/// made before.
///
/// # Errors
/// [`Failure`] when it cannot be started or followed.
pub(in crate::launch) async fn materialize_once(
    session: &Session,
    deployment: &Deployment,
    key: &str,
    begin: Begin<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if let Some(run) = known(deployment, key).await? {
        return Ok(was_started(session, &run));
    }
    let executions = deployment.executions.as_ref();
    let name = name_of_key(key);
    let started = executions.start(&name, &begin.input);
    let arn = match started.await.map_err(not_reached)? {
        Started::Now(arn) => arn,
        Started::Before(arn) => {
            if let Some(run) = known(deployment, key).await? {
                return Ok(was_started(session, &run));
            }
            let before = executions.describe(&arn).await.map_err(not_reached)?;
            if before.is_some_and(|before| !before.status.is_ended()) {
                session.say(&format!(
                    "the run of this key is being planned already, by the execution {arn}"
                ));
                return Ok(Exit::Done);
            }
            // It made no run: its input made no sense, or there was nothing to do. The planner knows
            // the key too, so that another name does not let a second run through.
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let name = name_of_key_again(key, id);
            let again = executions.start(&name, &begin.input);
            match again.await.map_err(not_reached)? {
                Started::Now(arn) | Started::Before(arn) => arn,
            }
        }
    };
    go_on(session, deployment, Awaited::key(key), arn, begin, out).await
}

async fn known(deployment: &Deployment, key: &str) -> Result<Option<Run>, Failure> {
    let key = RunKey::requested(key);
    Ok(deployment.store.run_of_key(&key).await?)
}

fn was_started(session: &Session, run: &Run) -> Exit {
    session.say(&format!(
        "run {} was started for this key already: it {}",
        run.id,
        match run.status.is_finished() {
            true => run.status.to_string(),
            false => format!("is {}", run.status),
        }
    ));
    Exit::Done
}
