//! Findings: evaluations of checks that did not pass.

use precip_core::{graph::AssetId, partitions::PartitionSet, spec::Severity};
use precip_engine::{
    run_id::RunId,
    state::{CheckEvaluation, CheckOutcome},
};

use crate::{failure::Failure, output::format_metadata, session::Session};

/// Returns the latest evaluations of the checks of some assets' existing partitions that did not pass; see
/// [`read_findings`].
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn read_findings_of_assets(
    session: &Session,
    assets: impl IntoIterator<Item = AssetId>,
    run: Option<RunId>,
) -> Result<Vec<CheckEvaluation>, Failure> {
    let assets = assets.into_iter();
    let existing = assets.map(|asset| (asset, session.existing_partitions(asset)));
    read_findings(session, existing, run).await
}

/// Returns the latest evaluations of the checks of some partitions that did not pass, by asset and check;
/// with `run` only those of this run. The cost grows with the number of findings.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn read_findings(
    session: &Session,
    partitions: impl IntoIterator<Item = (AssetId, PartitionSet)>,
    run: Option<RunId>,
) -> Result<Vec<CheckEvaluation>, Failure> {
    let graph = session.definitions.graph();
    let mut findings = Vec::new();
    for (asset, existing) in partitions {
        let mut failing = PartitionSet::empty();
        for check in graph.checks_of(asset) {
            failing |= &session
                .store
                .failing_partitions(&graph.check(check).key)
                .await?;
        }
        failing &= &existing;
        for target in session.partition_refs(asset, &failing) {
            let latest = session.store.latest_checks(&target).await?;
            findings.extend(latest.into_iter().filter(|found| {
                let declared = graph.check_id(&found.check).is_some();
                let of_run = run.is_none_or(|run| found.run == run);
                declared && of_run && found.outcome != CheckOutcome::Passed
            }));
        }
    }
    Ok(findings)
}

/// Describes a finding on one line: the check, what kind of finding it is, the partition, and what the check
/// found.
pub(crate) fn describe_finding(found: &CheckEvaluation) -> String {
    let kind = match (found.outcome, found.severity) {
        (CheckOutcome::Errored, _) => "the check could not run",
        (_, Severity::Warn) => "warning",
        (_, Severity::Error) if found.blocking => "failed, blocking",
        (_, Severity::Error) => "failed",
    };
    let what = describe_result(found);
    let colon = if what.is_empty() { "" } else { ": " };
    format!(
        "`{}` on {} ({kind}){colon}{what}",
        found.check.name, found.target
    )
}

/// Describes what a check found: its description, and its metadata as `name: value`.
pub(crate) fn describe_result(found: &CheckEvaluation) -> String {
    let metadata: Vec<String> = found
        .metadata
        .iter()
        .map(|(name, value)| format!("{name}: {}", format_metadata(value)))
        .collect();
    let description = found.description.clone().unwrap_or_default();
    match (description.is_empty(), metadata.is_empty()) {
        (_, true) => description,
        (true, false) => metadata.join(", "),
        (false, false) => format!("{description} ({})", metadata.join(", ")),
    }
}
