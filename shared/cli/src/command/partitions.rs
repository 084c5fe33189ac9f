//! `partitions`: an asset's partitions and their status.

use std::io::Write;

use precip_core::{graph::AssetSet, partitions::PartitionSet};
use serde::Serialize;

use crate::{
    args::StatusFilter,
    exit::Exit,
    failure::Failure,
    output::{Table, write_json},
    session::Session,
};

/// One partition in the list.
#[derive(Debug, Serialize)]
struct Row {
    partition: Option<String>,
    status: &'static str,
}

/// Lists the partitions of an asset, in the order of the definition.
///
/// # Errors
/// [`Failure`] when there is no such asset or the record cannot be read.
pub(crate) async fn list_partitions(
    session: &Session,
    key: &str,
    status: Option<StatusFilter>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let asset = session.asset_id(key)?;
    let graph = session.definitions.graph();
    let existing = session.existing_partitions(asset);
    let key = graph.key(asset);
    let in_progress = session.store.partition_statuses(key).await?.in_progress;
    let states = session.partition_states(&AssetSet::from(asset)).await?;
    let shown: PartitionSet = match status {
        None => existing,
        Some(StatusFilter::Materialized) => &existing & states.materialized(asset),
        Some(StatusFilter::Failed) => &existing & states.failed(asset),
        Some(StatusFilter::Skipped) => &existing & &states.skipped(asset),
        Some(StatusFilter::Missing) => states.missing(asset, &existing),
    };
    let state_of = |ordinal| {
        if in_progress.contains(ordinal) {
            "running"
        } else {
            states.state_of(asset, ordinal)
        }
    };
    let rows: Vec<Row> = session
        .partition_refs(asset, &shown)
        .into_iter()
        .map(|target| Row {
            status: state_of(target.ordinal),
            partition: target.partition.map(|key| key.to_string()),
        })
        .collect();
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["PARTITION", "STATUS"]);
    for row in &rows {
        table.add_row([row.partition.as_deref().unwrap_or("-"), row.status]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}
