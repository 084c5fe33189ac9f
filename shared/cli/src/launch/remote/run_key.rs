//! Requests with a run key: a key starts at most one run.

use std::io::Write;

use precip_engine::{
    deployment::{StartOutcome, execution_name, retry_execution_name},
    run::{SystemClock, SystemRandomness, new_run_id},
    state::{Run, RunKey},
};

use super::{
    execution_failure,
    follow::AwaitedRun,
    start::{RunStart, follow_or_detach},
};
use crate::{exit::Exit, failure::Failure, session::Session, target::Deployment};

/// Starts an execution under a name derived from the key, and follows it, unless there is a run with this
/// key.
///
/// # Errors
/// [`Failure`] when it cannot be started or followed.
pub(in crate::launch) async fn materialize_once(
    session: &Session,
    deployment: &Deployment,
    key: &str,
    start: RunStart<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if let Some(run) = find_run_of_key(deployment, key).await? {
        return Ok(report_existing_run(session, &run));
    }
    let executions = deployment.executions.as_ref();
    let name = execution_name(key);
    let started = executions.start_execution(&name, &start.input);
    let arn = match started.await.map_err(execution_failure)? {
        StartOutcome::Started(arn) => arn,
        StartOutcome::Existing(arn) => {
            if let Some(run) = find_run_of_key(deployment, key).await? {
                return Ok(report_existing_run(session, &run));
            }
            let before = executions
                .describe_execution(&arn)
                .await
                .map_err(execution_failure)?;
            if before.is_some_and(|before| !before.status.is_ended()) {
                session.print_note(&format!(
                    "the run of this key is being planned already by execution {arn}"
                ));
                return Ok(Exit::Done);
            }
            // That execution made no run: its input was invalid, or there was nothing to do. Another name
            // cannot let a second run through, since the planner checks the key too.
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let name = retry_execution_name(key, id);
            let again = executions.start_execution(&name, &start.input);
            match again.await.map_err(execution_failure)? {
                StartOutcome::Started(arn) | StartOutcome::Existing(arn) => arn,
            }
        }
    };
    follow_or_detach(
        session,
        deployment,
        AwaitedRun::with_key(key),
        arn,
        start,
        out,
    )
    .await
}

async fn find_run_of_key(deployment: &Deployment, key: &str) -> Result<Option<Run>, Failure> {
    let run_key = RunKey::from_request(key);
    Ok(deployment.store.find_run_by_key(&run_key).await?)
}

fn report_existing_run(session: &Session, run: &Run) -> Exit {
    let status = if run.status.is_finished() {
        run.status.to_string()
    } else {
        format!("is {}", run.status)
    };
    session.print_note(&format!(
        "run {} was started for this key already: it {status}",
        run.id
    ));
    Exit::Done
}
