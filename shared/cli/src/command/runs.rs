//! `runs` and `run`: what ran, and how it went.

use std::io::Write;

use precip_engine::state::{
    Failure as FailedAttempt, PageRequest, Run, RunFilter, RunProgress, SkipReason, Skipped,
};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    launch::{self, Settled},
    output::{Table, ago, duration, json},
    place::Place,
    session::Session,
};

/// How many failures and held back partitions `run` names before it says how many more there are.
const SHOWN: usize = 20;

/// Lists runs, newest first.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub async fn runs(session: &Session, limit: usize, out: &mut dyn Write) -> Result<Exit, Failure> {
    let page = session
        .store
        .runs(&RunFilter::default(), &PageRequest::first(limit))
        .await?;
    if session.json {
        json(out, &page.items)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "RUN",
        "STATUS",
        "CREATED",
        "TOOK",
        "MADE #",
        "OF #",
        "SELECTION",
        "PARTITIONS",
    ]);
    for run in &page.items {
        let progress = session.store.progress(run.id).await?;
        table.row([
            run.id.to_string(),
            run.status.to_string(),
            ago(run.created_at, session.context.now),
            took(run),
            progress.succeeded.to_string(),
            run.plan
                .as_ref()
                .map_or_else(|| "?".to_owned(), |plan| plan.items.to_string()),
            run.request.selection.clone(),
            run.request.partitions.clone().unwrap_or_default(),
        ]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

/// One run, whole.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    run: Run,
    progress: RunProgress,
    failures: Vec<FailedAttempt>,
    skipped: Vec<Skipped>,
    /// What carries it out, on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<ExecutionAnswer>,
}

/// An execution of a state machine.
#[derive(Debug, Serialize)]
struct ExecutionAnswer {
    arn: String,
    /// As Step Functions says it; `null` when the execution is not there (any more).
    status: Option<&'static str>,
}

/// Shows one run.
///
/// # Errors
/// [`Failure`] when there is no such run or the record cannot be read.
pub async fn run(session: &Session, id: &str, out: &mut dyn Write) -> Result<Exit, Failure> {
    let run = session.run(id).await?;
    let (run, execution) = execution(session, run).await?;
    let id = run.id;
    let answer = Answer {
        progress: session.store.progress(id).await?,
        failures: all_failures(session, &run).await?,
        skipped: session.store.skipped(id).await?,
        run,
        execution,
    };
    if session.json {
        json(out, &answer)?;
    } else {
        write(session, &answer, out)?;
    }
    Ok(Exit::Done)
}

/// The execution of a run on AWS. If it has ended and the record does not know it, it does then.
async fn execution(session: &Session, run: Run) -> Result<(Run, Option<ExecutionAnswer>), Failure> {
    let Place::Aws(deployment) = &session.place else {
        return Ok((run, None));
    };
    match launch::settle(session, deployment, run.clone()).await {
        Ok(Settled {
            run,
            arn,
            execution,
        }) => {
            let status = execution.map(|execution| execution.status.as_str());
            Ok((run, Some(ExecutionAnswer { arn, status })))
        }
        // What the record says can be shown without it.
        Err(failure) => {
            session.say(&format!("warning: {}", failure.message));
            Ok((run, None))
        }
    }
}

async fn all_failures(session: &Session, run: &Run) -> Result<Vec<FailedAttempt>, Failure> {
    let mut failures = Vec::new();
    let mut page = PageRequest::first(1_000);
    loop {
        let found = session.store.failures(run.id, &page).await?;
        failures.extend(found.items);
        match found.next {
            Some(token) => page = page.after(token),
            None => return Ok(failures),
        }
    }
}

fn write(session: &Session, answer: &Answer, out: &mut dyn Write) -> std::io::Result<()> {
    let Answer {
        run,
        progress,
        failures,
        skipped,
        execution,
    } = answer;
    writeln!(out, "{}  {}", run.id, run.status)?;
    let planned = run
        .plan
        .as_ref()
        .map_or_else(|| "?".to_owned(), |plan| plan.items.to_string());
    let lines = [
        ("selection", run.request.selection.clone()),
        (
            "partitions",
            run.request.partitions.clone().unwrap_or_default(),
        ),
        ("created", ago(run.created_at, session.context.now)),
        ("took", took(run)),
        ("made", format!("{} of {planned}", progress.succeeded)),
        ("failed", nonzero(progress.failed)),
        ("held back", nonzero(progress.skipped)),
        ("message", run.message.clone().unwrap_or_default()),
        (
            "execution",
            execution.as_ref().map(told).unwrap_or_default(),
        ),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {name:<11} {value}")?;
    }
    if !failures.is_empty() {
        writeln!(out, "failed:")?;
    }
    for failure in failures.iter().take(SHOWN) {
        writeln!(out, "  {}: {}", failure.target, failure.message)?;
        for cause in &failure.causes {
            writeln!(out, "    caused by: {cause}")?;
        }
    }
    more(failures.len(), out)?;
    if !skipped.is_empty() {
        writeln!(out, "held back:")?;
    }
    for held in skipped.iter().take(SHOWN) {
        let count = held.partitions.len();
        writeln!(out, "  {} ({count}): {}", held.asset, reason(&held.reason))?;
    }
    more(skipped.len(), out)?;
    if !failures.is_empty() {
        writeln!(
            out,
            "`retry {}{}` runs what failed again, and what that held back",
            run.id,
            session.place.suffix()
        )?;
    }
    Ok(())
}

fn told(execution: &ExecutionAnswer) -> String {
    match execution.status {
        Some(status) => format!("{} ({status})", execution.arn),
        None => format!("{} (not there any more)", execution.arn),
    }
}

fn more(count: usize, out: &mut dyn Write) -> std::io::Result<()> {
    if count > SHOWN {
        writeln!(out, "  and {} more; `--json` names them all", count - SHOWN)?;
    }
    Ok(())
}

fn nonzero(count: u64) -> String {
    if count == 0 {
        String::new()
    } else {
        count.to_string()
    }
}

fn took(run: &Run) -> String {
    match (run.started_at, run.finished_at) {
        (Some(started), Some(finished)) => duration(finished - started),
        _ => String::new(),
    }
}

fn reason(reason: &SkipReason) -> String {
    match reason {
        SkipReason::UpstreamFailed {
            asset,
            partition: None,
        } => format!("`{asset}` failed"),
        SkipReason::UpstreamFailed {
            asset,
            partition: Some(partition),
        } => {
            format!("`{asset}` failed for {partition}")
        }
        SkipReason::CheckFailed { check } => format!("check `{check}` did not pass"),
        SkipReason::Canceled => "the run was stopped first".to_owned(),
    }
}
