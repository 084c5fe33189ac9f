//! `assets`: the list of assets.

use std::io::Write;

use precip_core::{freshness::FreshnessState, graph::AssetId, spec::Owner};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    label,
    output::{Table, write_json},
    session::Session,
};

/// One asset in the list.
#[derive(Debug, Serialize)]
struct Row {
    key: String,
    group: String,
    partitions: String,
    kinds: Vec<String>,
    owners: Vec<Owner>,
    materialized: u64,
    failed: u64,
    missing: u64,
    total: u64,
    freshness: Option<FreshnessState>,
    description: Option<String>,
}

/// Lists the assets of a selection with the status of their partitions.
///
/// # Errors
/// [`Failure`] when the selection is invalid or the record cannot be read.
pub(crate) async fn list_assets(
    session: &Session,
    select: &str,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let selected = session.select_assets(select)?;
    let freshness = session.freshness_states().await?;
    let mut rows = Vec::new();
    for id in selected.iter() {
        let key = session.definitions.graph().key(id);
        rows.push(load_row(session, id, freshness.get(key).copied()).await?);
    }
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut headings = vec![
        "ASSET",
        "GROUP",
        "PARTITIONS",
        "MATERIALIZED #",
        "TOTAL #",
        "FAILED #",
    ];
    // The column is shown when some asset has a freshness policy.
    let any_policy = rows.iter().any(|row| row.freshness.is_some());
    headings.extend(any_policy.then_some("FRESHNESS"));
    headings.push("KINDS");
    let mut table = Table::new(headings);
    for row in &rows {
        let mut cells = vec![
            row.key.clone(),
            row.group.clone(),
            row.partitions.clone(),
            row.materialized.to_string(),
            row.total.to_string(),
            if row.failed == 0 {
                String::new()
            } else {
                row.failed.to_string()
            },
        ];
        let freshness = row
            .freshness
            .map_or_else(String::new, |state| state.to_string());
        cells.extend(any_policy.then_some(freshness));
        cells.push(row.kinds.join(", "));
        table.add_row(cells);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

async fn load_row(
    session: &Session,
    id: AssetId,
    freshness: Option<FreshnessState>,
) -> Result<Row, Failure> {
    let tally = session.tally_partitions(id).await?;
    let spec = session.definitions.graph().asset(id);
    Ok(Row {
        key: spec.key.to_string(),
        group: spec.group.to_string(),
        partitions: label::partitions_label(spec.partitions.as_deref()),
        kinds: spec.kinds.iter().map(ToString::to_string).collect(),
        owners: spec.owners.clone(),
        materialized: tally.materialized,
        failed: tally.failed,
        missing: tally.total - tally.materialized,
        total: tally.total,
        freshness,
        description: spec.description.clone(),
    })
}
