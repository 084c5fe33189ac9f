//! `checks`: the latest results of an asset's checks.

use std::io::Write;

use precip_core::graph::AssetId;
use precip_engine::state::{CheckEvaluation, CheckOutcome};

use crate::{
    exit::Exit,
    failure::Failure,
    findings::{describe_result, read_findings_of_assets},
    output::{Table, format_time, write_json},
    session::Session,
};

/// Lists the latest evaluation of each check of an asset, for one partition or for all materialized
/// ones. With `failed` lists only what did not pass, of all assets if there is no key.
///
/// # Errors
/// [`Failure`] when there is no such asset or partition, or the record cannot be read.
pub(crate) async fn list_checks(
    session: &Session,
    key: Option<&str>,
    partition: Option<&str>,
    failed: bool,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let graph = session.definitions.graph();
    let asset = key.map(|key| session.asset_id(key)).transpose()?;
    let found = match (asset, partition) {
        (Some(asset), None) if !failed => read_all_results(session, asset).await?,
        (Some(asset), Some(_)) => {
            let target = session.partition_ref(asset, partition)?;
            let mut found = session.store.latest_checks(&target).await?;
            found.retain(|result| !failed || result.outcome != CheckOutcome::Passed);
            found
        }
        (Some(asset), None) => read_findings_of_assets(session, [asset], None).await?,
        (None, _) => read_findings_of_assets(session, graph.ids(), None).await?,
    };
    if session.json {
        write_json(out, &found)?;
        return Ok(Exit::Done);
    }
    if let (Some(asset), Some(key)) = (asset, key)
        && graph.checks_of(asset).len() == 0
    {
        writeln!(out, "asset `{key}` has no checks")?;
        return Ok(Exit::Done);
    }
    if failed && found.is_empty() {
        writeln!(out, "no check failed when it last ran")?;
        return Ok(Exit::Done);
    }
    write_results(&found, asset.is_none(), out)?;
    Ok(Exit::Done)
}

/// Returns the latest results of the checks of an asset's materialized partitions. The others have none.
async fn read_all_results(
    session: &Session,
    asset: AssetId,
) -> Result<Vec<CheckEvaluation>, Failure> {
    let graph = session.definitions.graph();
    let targets = match graph.partitions(asset) {
        None => vec![session.partition_ref(asset, None)?],
        Some(_) => {
            let statuses = session.store.partition_statuses(graph.key(asset)).await?;
            let made = &statuses.materialized & &session.existing_partitions(asset);
            session.partition_refs(asset, &made)
        }
    };
    let mut found = Vec::new();
    for target in &targets {
        found.extend(session.store.latest_checks(target).await?);
    }
    Ok(found)
}

fn write_results(
    found: &[CheckEvaluation],
    with_asset: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mut table = Table::new([
        "CHECK",
        "PARTITION",
        "RESULT",
        "SEVERITY",
        "BLOCKING",
        "WHEN",
        "FOUND",
    ]);
    for evaluation in found {
        let result = match evaluation.outcome {
            CheckOutcome::Passed => "passed",
            CheckOutcome::Failed => "failed",
            CheckOutcome::Errored => "errored",
        };
        let severity = format!("{:?}", evaluation.severity).to_uppercase();
        table.add_row([
            if with_asset {
                evaluation.check.to_string()
            } else {
                evaluation.check.name.clone()
            },
            evaluation
                .target
                .partition
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            result.to_owned(),
            severity,
            if evaluation.blocking { "yes" } else { "no" }.to_owned(),
            format_time(evaluation.at),
            describe_result(evaluation),
        ]);
    }
    table.write_to(out)
}
