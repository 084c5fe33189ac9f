//! `runs` and `run`: the runs on record.

use std::{collections::BTreeMap, io::Write};

use precip_core::{key::AssetKey, partitions::PartitionSet, selection::Selection};
use precip_engine::state::{
    CheckEvaluation, FailedAttempt, Page, PageRequest, Run, RunFilter, RunProgress, StateResult,
    UntriedPartitions, UntriedReason,
};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    findings::{describe_finding, read_findings_of_assets},
    launch::{self, ReconciledRun},
    output::{Table, format_ago, format_duration, write_json},
    session::Session,
    target::Target,
};

/// Maximum number of failures, and of skipped and held back sets, that `run` prints.
const MAX_LISTED: usize = 20;

/// Lists runs, newest first.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn list_runs(
    session: &Session,
    limit: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let page = session
        .store
        .list_runs(&RunFilter::default(), &PageRequest::first(limit))
        .await?;
    if session.json {
        write_json(out, &page.items)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "RUN",
        "STATUS",
        "CREATED",
        "TOOK",
        "MATERIALIZED #",
        "TOTAL #",
        "SELECTION",
        "PARTITIONS",
    ]);
    for run in &page.items {
        // The run itself does not hold its progress.
        let progress = session.store.run_progress(run.id).await?;
        table.add_row([
            run.id.to_string(),
            run.status.to_string(),
            format_ago(run.created_at, session.context.now),
            duration_text(run),
            progress.succeeded.to_string(),
            run.plan
                .as_ref()
                .map_or_else(|| "?".to_owned(), |plan| plan.items.to_string()),
            run.request.selection.clone(),
            run.request.partitions.clone().unwrap_or_default(),
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

/// The answer of `run`.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    run: Run,
    progress: RunProgress,
    failures: Vec<FailedAttempt>,
    /// Checks that did not pass, warnings among them.
    findings: Vec<CheckEvaluation>,
    /// Partitions without anything to make.
    skipped: Vec<SkippedPartitions>,
    /// Partitions that a failure upstream held back.
    held_back: Vec<UntriedPartitions>,
    /// Its execution, on AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<ExecutionAnswer>,
}

/// Skipped partitions of an asset, with the reason.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SkippedPartitions {
    /// The function had nothing to make.
    NothingToMake {
        asset: AssetKey,
        partitions: PartitionSet,
        reason: &'static str,
    },
    /// Something that they need is skipped.
    UpstreamSkipped(UntriedPartitions),
}

impl SkippedPartitions {
    fn asset(&self) -> &AssetKey {
        match self {
            Self::NothingToMake { asset, .. } => asset,
            Self::UpstreamSkipped(untried) => &untried.asset,
        }
    }

    fn partitions(&self) -> &PartitionSet {
        match self {
            Self::NothingToMake { partitions, .. } => partitions,
            Self::UpstreamSkipped(untried) => &untried.partitions,
        }
    }

    fn describe_reason(&self) -> String {
        match self {
            Self::NothingToMake { .. } => "there was nothing to make".to_owned(),
            Self::UpstreamSkipped(untried) => describe_reason(&untried.reason),
        }
    }
}

/// An execution of a state machine.
#[derive(Debug, Serialize)]
struct ExecutionAnswer {
    arn: String,
    /// Status in Step Functions; `null` when the execution does not exist (any more).
    status: Option<&'static str>,
}

/// Shows one run.
///
/// # Errors
/// [`Failure`] when there is no such run or the record cannot be read.
pub(crate) async fn show_run(
    session: &Session,
    id: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let run = session.find_run(id).await?;
    let (run, execution) = reconcile_execution(session, run).await?;
    let id = run.id;
    let untried = session.store.run_untried(id).await?;
    let (untried_skips, held_back): (Vec<_>, Vec<_>) = untried
        .into_iter()
        .partition(|other| other.reason.is_skip());
    let mut skipped = load_skips(session, &run).await?;
    let upstream = untried_skips.into_iter();
    skipped.extend(upstream.map(SkippedPartitions::UpstreamSkipped));
    let answer = Answer {
        progress: session.store.run_progress(id).await?,
        failures: load_failures(session, &run).await?,
        findings: load_findings(session, &run).await?,
        skipped,
        held_back,
        run,
        execution,
    };
    if session.json {
        write_json(out, &answer)?;
    } else {
        write_run(session, &answer, out)?;
    }
    Ok(Exit::Done)
}

/// Returns the execution of a run on AWS, and the run. If the execution has ended and the record does not
/// have that yet, records it.
async fn reconcile_execution(
    session: &Session,
    run: Run,
) -> Result<(Run, Option<ExecutionAnswer>), Failure> {
    let Target::Aws(deployment) = &session.target else {
        return Ok((run, None));
    };
    match launch::reconcile_run(session, deployment, run.clone()).await {
        Ok(ReconciledRun {
            run,
            arn,
            execution,
        }) => {
            let status = execution.map(|execution| execution.status.as_str());
            Ok((run, Some(ExecutionAnswer { arn, status })))
        }
        // The record can be shown without the execution.
        Err(failure) => {
            session.print_note(&format!("warning: {}", failure.message));
            Ok((run, None))
        }
    }
}

async fn load_failures(session: &Session, run: &Run) -> Result<Vec<FailedAttempt>, Failure> {
    load_all(async |page| session.store.run_failures(run.id, page).await).await
}

/// Loads the findings of a run's checks, of the assets that its selection selects now.
async fn load_findings(session: &Session, run: &Run) -> Result<Vec<CheckEvaluation>, Failure> {
    let graph = session.definitions.graph();
    let parsed = Selection::parse(&run.request.selection).ok();
    // A selection of assets that are gone has no findings that could be found.
    let assets = parsed.and_then(|parsed| parsed.resolve(graph).ok());
    let assets = assets.unwrap_or_default();
    read_findings_of_assets(session, assets.iter(), Some(run.id)).await
}

/// Loads what the functions of a run had nothing to make for, by asset.
async fn load_skips(session: &Session, run: &Run) -> Result<Vec<SkippedPartitions>, Failure> {
    let skips = load_all(async |page| session.store.run_skipped_attempts(run.id, page).await);
    let mut by_asset: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
    for skip in skips.await? {
        let partitions = by_asset.entry(skip.target.asset).or_default();
        partitions.insert(skip.target.ordinal);
    }
    let skipped =
        by_asset
            .into_iter()
            .map(|(asset, partitions)| SkippedPartitions::NothingToMake {
                asset,
                partitions,
                reason: "nothing_to_make",
            });
    Ok(skipped.collect())
}

async fn load_all<T>(
    mut read_page: impl AsyncFnMut(&PageRequest) -> StateResult<Page<T>>,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    let mut page = PageRequest::first(1_000);
    loop {
        let found = read_page(&page).await?;
        all.extend(found.items);
        match found.next {
            Some(token) => page = page.next_page(token),
            None => return Ok(all),
        }
    }
}

fn write_run(session: &Session, answer: &Answer, out: &mut dyn Write) -> std::io::Result<()> {
    let Answer {
        run,
        progress,
        failures,
        findings,
        skipped,
        held_back,
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
        ("created", format_ago(run.created_at, session.context.now)),
        ("took", duration_text(run)),
        (
            "materialized",
            format!("{} of {planned}", progress.succeeded),
        ),
        ("failed", nonzero_text(progress.failed)),
        ("skipped", nonzero_text(progress.skipped)),
        ("held back", nonzero_text(progress.held_back)),
        ("message", run.message.clone().unwrap_or_default()),
        (
            "execution",
            execution
                .as_ref()
                .map(describe_execution)
                .unwrap_or_default(),
        ),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "  {name:<12} {value}")?;
    }
    if !failures.is_empty() {
        writeln!(out, "failed:")?;
    }
    for failure in failures.iter().take(MAX_LISTED) {
        writeln!(out, "  {}: {}", failure.target, failure.message)?;
        for cause in &failure.causes {
            writeln!(out, "    caused by: {cause}")?;
        }
    }
    write_omitted(failures.len(), out)?;
    if !findings.is_empty() {
        writeln!(out, "checks that did not pass:")?;
    }
    for found in findings.iter().take(MAX_LISTED) {
        writeln!(out, "  {}", describe_finding(found))?;
    }
    write_omitted(findings.len(), out)?;
    if !skipped.is_empty() {
        writeln!(out, "skipped:")?;
    }
    for other in skipped.iter().take(MAX_LISTED) {
        let (asset, count) = (other.asset(), other.partitions().len());
        writeln!(out, "  {asset} ({count}): {}", other.describe_reason())?;
    }
    write_omitted(skipped.len(), out)?;
    if !held_back.is_empty() {
        writeln!(out, "held back:")?;
    }
    for held in held_back.iter().take(MAX_LISTED) {
        let count = held.partitions.len();
        writeln!(
            out,
            "  {} ({count}): {}",
            held.asset,
            describe_reason(&held.reason)
        )?;
    }
    write_omitted(held_back.len(), out)?;
    if !failures.is_empty() || findings.iter().any(CheckEvaluation::fails_run) {
        writeln!(
            out,
            "`retry {}{}` runs what failed, and what that held back",
            run.id,
            session.target.option_suffix()
        )?;
    }
    Ok(())
}

fn describe_execution(execution: &ExecutionAnswer) -> String {
    match execution.status {
        Some(status) => format!("{} ({status})", execution.arn),
        None => format!("{} (no longer exists)", execution.arn),
    }
}

fn write_omitted(count: usize, out: &mut dyn Write) -> std::io::Result<()> {
    if count > MAX_LISTED {
        writeln!(
            out,
            "  and {} more; `--json` prints them all",
            count - MAX_LISTED
        )?;
    }
    Ok(())
}

fn nonzero_text(count: u64) -> String {
    if count == 0 {
        String::new()
    } else {
        count.to_string()
    }
}

fn duration_text(run: &Run) -> String {
    match (run.started_at, run.finished_at) {
        (Some(started), Some(finished)) => format_duration(finished - started),
        _ => String::new(),
    }
}

fn describe_reason(reason: &UntriedReason) -> String {
    match reason {
        UntriedReason::UpstreamFailed {
            asset,
            partition: None,
        } => format!("`{asset}` failed"),
        UntriedReason::UpstreamFailed {
            asset,
            partition: Some(partition),
        } => {
            format!("`{asset}` failed for {partition}")
        }
        UntriedReason::CheckFailed { check } => format!("check `{check}` did not pass"),
        UntriedReason::UpstreamSkipped {
            asset,
            partition: None,
        } => format!("`{asset}` was skipped"),
        UntriedReason::UpstreamSkipped {
            asset,
            partition: Some(partition),
        } => {
            format!("`{asset}` was skipped for {partition}")
        }
        UntriedReason::Canceled => "the run was stopped first".to_owned(),
    }
}
