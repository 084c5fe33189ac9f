//! How a run went, in words.

use std::io::Write;

use chrono::TimeDelta;
use precip_core::plan::Plan;
use precip_engine::{run::RunEnd, run_id::RunId};
use precip_local::executor::RunReport;
use serde::Serialize;

use super::hint;
use crate::{
    exit::Exit,
    failure::Failure,
    output::{duration, json},
    place::Place,
    session::Session,
};

#[derive(Debug, Serialize)]
struct Answer {
    run: RunId,
    status: &'static str,
    materialized: u64,
    failed: u64,
    held_back: u64,
    milliseconds: u128,
}

/// Tells how a run went: a line to stderr, or JSON to `out`.
///
/// # Errors
/// [`Failure`] when the stream is closed.
pub(super) async fn tell(
    session: &Session,
    run: RunId,
    plan: &Plan,
    report: &RunReport,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let tally = report.tally;
    let suffix = session.place.suffix();
    let took = duration(TimeDelta::from_std(report.took).unwrap_or_default());
    let made = format!("{} materialized in {took}", report.materialized);
    match report.end {
        RunEnd::Succeeded => {
            session.say(&format!("run {run}: {made}"));
            session.say(&format!("next: {}", hint::next(session, plan).await?));
        }
        RunEnd::Failed { .. } => {
            session.say(&format!(
                "run {run}: {made}, {} failed, {} held back",
                tally.failed, tally.held
            ));
            session.say(&format!(
                "next: `run {run}{suffix}` says why, `retry {run}{suffix}` tries again"
            ));
        }
        RunEnd::Canceled => {
            session.say(&format!(
                "run {run} was stopped: {made}, {} left",
                tally.total - tally.succeeded
            ));
            session.say(&match &session.place {
                Place::Local(_) => format!("next: `resume {run}` goes on"),
                Place::Aws(_) => format!("next: `retry {run}{suffix}` makes what is left"),
            });
        }
    }
    if session.json {
        let answer = Answer {
            run,
            status: report.end.status().as_str(),
            materialized: report.materialized,
            failed: tally.failed,
            held_back: tally.held,
            milliseconds: report.took.as_millis(),
        };
        json(out, &answer)?;
    }
    Ok(match report.end {
        RunEnd::Succeeded => Exit::Done,
        RunEnd::Failed { .. } | RunEnd::Canceled => Exit::RunFailed,
    })
}
