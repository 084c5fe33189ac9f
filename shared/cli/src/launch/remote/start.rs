//! Starting an execution, and following it unless `--detach` is given.

use std::io::Write;

use precip_core::plan::Plan;
use precip_engine::{
    deployment::StartOutcome,
    machine::StartInput,
    run::{SystemClock, SystemRandomness, next_run_id},
    run_id::RunId,
    state::RunKey,
};
use serde::Serialize;

use super::{
    execution_failure,
    follow::{AwaitedRun, Follower},
};
use crate::{
    args::RunControlArgs, command, exit::Exit, failure::Failure, output::write_json,
    session::Session, target::Deployment,
};

/// A run to start on a deployment.
pub(in crate::launch) struct RunStart<'a> {
    /// Input of the state machine.
    pub(in crate::launch) input: StartInput,
    /// The plan made here; the planner makes its own.
    pub(in crate::launch) plan: &'a Plan,
    /// Execution options.
    pub(in crate::launch) control: &'a RunControlArgs,
}

/// The answer for a detached run.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// `null` when it is not known yet: the planner chooses the id of a run with a key.
    run: Option<RunId>,
    execution: &'a str,
}

/// Starts an execution under the name of a new run, and follows it.
///
/// # Errors
/// [`Failure`] when it cannot be started or followed.
pub(in crate::launch) async fn start_run(
    session: &Session,
    deployment: &Deployment,
    start: RunStart<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let store = deployment.store.as_ref();
    let id = next_run_id(store, &SystemClock, &SystemRandomness).await?;
    let name = id.to_string();
    let started = deployment.executions.start_execution(&name, &start.input);
    let arn = match started.await.map_err(execution_failure)? {
        // Ids are unique. An existing execution of this name was started by this very call, which the
        // SDK repeated when the first response was lost.
        StartOutcome::Started(arn) | StartOutcome::Existing(arn) => arn,
    };
    follow_or_detach(session, deployment, AwaitedRun::Id(id), arn, start, out).await
}

/// Follows a started execution to its end, or with `--detach` prints its name.
pub(super) async fn follow_or_detach(
    session: &Session,
    deployment: &Deployment,
    awaited: AwaitedRun,
    arn: String,
    start: RunStart<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    session.print_note(&format!(
        "{} started: {}",
        awaited.display_name(),
        command::summarize_plan(start.plan)
    ));
    if !start.control.detach {
        let follower = Follower::new(session, deployment, awaited, arn, start.plan)?;
        return follower.follow_to_end(out).await;
    }
    let run = awaited.run_id();
    if session.json {
        let answer = Answer {
            run,
            execution: &arn,
        };
        write_json(out, &answer)?;
    } else {
        if let Some(run) = run {
            writeln!(out, "{run}")?;
        }
        writeln!(out, "{arn}")?;
    }
    let shown = run.map_or_else(|| "latest".to_owned(), |run| run.to_string());
    session.print_note(&format!(
        "next: `run {shown}{}` shows its progress",
        session.target.option_suffix()
    ));
    Ok(Exit::Done)
}

impl AwaitedRun {
    /// Returns the run of a request with a key.
    pub(super) fn with_key(key: &str) -> Self {
        Self::Key(RunKey::from_request(key))
    }
}
