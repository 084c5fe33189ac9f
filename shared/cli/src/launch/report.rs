//! The report of a finished run.

use std::{collections::BTreeMap, io::Write};

use chrono::TimeDelta;
use precip_core::{graph::AssetId, partitions::PartitionSet, plan::Plan};
use precip_engine::{run::RunEnd, run_id::RunId};
use precip_local::executor::RunReport;
use serde::Serialize;

use super::hint;
use crate::{
    exit::Exit,
    failure::Failure,
    findings::{describe_finding, read_findings},
    output::{format_duration, write_json},
    session::Session,
    target::Target,
};

/// Maximum number of findings of checks that the report prints.
const MAX_FINDINGS: usize = 5;

/// The answer of `materialize`, `resume` and `retry`.
#[derive(Debug, Serialize)]
struct Answer {
    run: RunId,
    status: &'static str,
    materialized: u64,
    failed: u64,
    skipped: u64,
    held_back: u64,
    milliseconds: u128,
}

/// Reports the outcome of a run: notes on stderr, and with `--json` an object to `out`.
///
/// # Errors
/// [`Failure`] when the stream is closed or the record cannot be read.
pub(super) async fn report_run(
    session: &Session,
    run: RunId,
    plan: &Plan,
    report: &RunReport,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let tally = report.tally;
    let suffix = session.target.option_suffix();
    let took = format_duration(TimeDelta::from_std(report.elapsed).unwrap_or_default());
    let mut made = format!("{} materialized in {took}", report.materialized);
    if report.skipped > 0 {
        made.push_str(&format!(", {} skipped", report.skipped));
    }
    let findings = read_findings(session, checked_partitions(session, plan), Some(run)).await?;
    for found in findings.iter().take(MAX_FINDINGS) {
        session.print_note(&format!("check {}", describe_finding(found)));
    }
    if findings.len() > MAX_FINDINGS {
        let more = findings.len() - MAX_FINDINGS;
        session.print_note(&format!(
            "and {more} more checks: `run {run}{suffix}` lists them"
        ));
    }
    match report.end {
        RunEnd::Succeeded => {
            session.print_note(&format!("run {run}: {made}"));
            session.print_note(&format!(
                "next: {}",
                hint::next_commands(session, plan).await?
            ));
        }
        RunEnd::Failed { .. } => {
            session.print_note(&format!(
                "run {run}: {made}, {} failed, {} held back",
                tally.failed, tally.held
            ));
            session.print_note(&format!(
                "next: `run {run}{suffix}` shows why, `retry {run}{suffix}` tries again"
            ));
        }
        RunEnd::Canceled => {
            session.print_note(&format!(
                "run {run} was stopped: {made}, {} left",
                tally.total - tally.succeeded - tally.skipped
            ));
            session.print_note(&match &session.target {
                Target::Local(_) => format!("next: `resume {run}` resumes it"),
                Target::Aws(_) => format!("next: `retry {run}{suffix}` runs the rest"),
            });
        }
    }
    // The notes go to stderr in both formats; stdout has the JSON object only.
    if session.json {
        let answer = Answer {
            run,
            status: report.end.status().as_str(),
            materialized: report.materialized,
            failed: tally.failed,
            skipped: report.skipped,
            held_back: tally.held,
            milliseconds: report.elapsed.as_millis(),
        };
        write_json(out, &answer)?;
    }
    Ok(match report.end {
        RunEnd::Succeeded => Exit::Done,
        RunEnd::Failed { .. } | RunEnd::Canceled => Exit::RunFailed,
    })
}

/// Returns the partitions of a plan whose checks may have run, by asset.
fn checked_partitions(session: &Session, plan: &Plan) -> BTreeMap<AssetId, PartitionSet> {
    let graph = session.definitions.graph();
    let mut checked: BTreeMap<AssetId, PartitionSet> = BTreeMap::new();
    for (_, stage, step) in plan.steps() {
        for asset in step
            .checks
            .iter()
            .filter_map(|check| graph.id(&check.asset))
        {
            *checked.entry(asset).or_default() |= &stage.partitions;
        }
    }
    checked
}
