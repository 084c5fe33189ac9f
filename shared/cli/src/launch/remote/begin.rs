//! Starting an execution, and following it or not.

use std::io::Write;

use precip_core::plan::Plan;
use precip_engine::{
    deployment::Started,
    machine::StartInput,
    run::{SystemClock, SystemRandomness, new_run_id},
    run_id::RunId,
    state::RunKey,
};
use serde::Serialize;

use super::{
    follow::{Awaited, Follow},
    not_reached,
};
use crate::{
    args::RunControlArgs, command, exit::Exit, failure::Failure, output::json, place::Deployment,
    session::Session,
};

/// A run to be started.
pub(in crate::launch) struct Begin<'a> {
    /// What the state machine is given.
    pub(in crate::launch) input: StartInput,
    /// What it will do, as far as can be told from here.
    pub(in crate::launch) plan: &'a Plan,
    /// How it is run.
    pub(in crate::launch) control: &'a RunControlArgs,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// `null` while it is not known: the planner chooses the id of a run that has a key.
    run: Option<RunId>,
    execution: &'a str,
}

/// Starts an execution under the name of a new run, and follows it.
///
/// # Errors
/// [`Failure`] when it cannot be started or followed.
pub(in crate::launch) async fn begin(
    session: &Session,
    deployment: &Deployment,
    begin: Begin<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let id = new_run_id(&SystemClock, &SystemRandomness);
    let name = id.to_string();
    let started = deployment.executions.start(&name, &begin.input);
    let arn = match started.await.map_err(not_reached)? {
        // An id is made once: one that is there is that of this very call, sent again by the SDK
        // when the first answer was lost.
        Started::Now(arn) | Started::Before(arn) => arn,
    };
    go_on(session, deployment, Awaited::Id(id), arn, begin, out).await
}

/// Follows an execution that was started, unless it is to be left alone.
pub(super) async fn go_on(
    session: &Session,
    deployment: &Deployment,
    awaited: Awaited,
    arn: String,
    begin: Begin<'_>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    session.say(&format!(
        "{} started: {}",
        awaited.name(),
        command::summary(begin.plan)
    ));
    if !begin.control.detach {
        let follow = Follow::new(session, deployment, awaited, arn, begin.plan)?;
        return follow.follow_to_end(out).await;
    }
    let run = awaited.id();
    if session.json {
        let answer = Answer {
            run,
            execution: &arn,
        };
        json(out, &answer)?;
    } else {
        if let Some(run) = run {
            writeln!(out, "{run}")?;
        }
        writeln!(out, "{arn}")?;
    }
    let shown = run.map_or_else(|| "latest".to_owned(), |run| run.to_string());
    session.say(&format!(
        "next: `run {shown}{}` shows how far it is",
        session.place.suffix()
    ));
    Ok(Exit::Done)
}

impl Awaited {
    /// The run that a request under a key makes.
    pub(super) fn key(key: &str) -> Self {
        Self::Key(RunKey::requested(key))
    }
}
