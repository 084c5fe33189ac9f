//! `checks`: the latest results of an asset's checks.

use std::io::Write;

use precip_engine::state::{CheckEvaluation, CheckOutcome, PartitionRef};

use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, format_time, write_json},
    session::Session,
};

/// Lists the latest evaluation of each check of an asset, for one partition or for all materialized
/// ones.
///
/// # Errors
/// [`Failure`] when there is no such asset or partition, or the record cannot be read.
pub(crate) async fn list_checks(
    session: &Session,
    key: &str,
    partition: Option<&str>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let asset = session.asset_id(key)?;
    let graph = session.definitions.graph();
    // Checks run on materialized partitions only, so the others have no results.
    let targets: Vec<PartitionRef> = match (partition, graph.partitions(asset)) {
        (Some(_), _) | (None, None) => vec![session.partition_ref(asset, partition)?],
        (None, Some(_)) => {
            let made = session
                .store
                .partition_statuses(graph.key(asset))
                .await?
                .materialized;
            session.partition_refs(asset, &(&made & &session.existing_partitions(asset)))
        }
    };
    let mut found: Vec<CheckEvaluation> = Vec::new();
    for target in &targets {
        found.extend(session.store.latest_checks(target).await?);
    }
    if session.json {
        write_json(out, &found)?;
        return Ok(Exit::Done);
    }
    if graph.checks_of(asset).len() == 0 {
        writeln!(out, "asset `{key}` has no checks")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "CHECK",
        "PARTITION",
        "RESULT",
        "SEVERITY",
        "BLOCKING",
        "WHEN",
        "FOUND",
    ]);
    for evaluation in &found {
        let result = match evaluation.outcome {
            CheckOutcome::Passed => "passed",
            CheckOutcome::Failed => "failed",
            CheckOutcome::Errored => "errored",
        };
        let severity = format!("{:?}", evaluation.severity).to_uppercase();
        table.add_row([
            evaluation.check.name.clone(),
            evaluation
                .target
                .partition
                .as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string),
            result.to_owned(),
            severity,
            if evaluation.blocking { "yes" } else { "no" }.to_owned(),
            format_time(evaluation.at),
            evaluation.description.clone().unwrap_or_default(),
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}
