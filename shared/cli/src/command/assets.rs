//! `assets`: the list of assets.

use std::io::Write;

use precip_core::{freshness::FreshnessState, graph::AssetId, spec::Owner};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    label,
    output::{Table, json},
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

/// Lists the assets of a selection.
///
/// # Errors
/// [`Failure`] when the selection makes no sense or the record cannot be read.
pub async fn assets(session: &Session, select: &str, out: &mut dyn Write) -> Result<Exit, Failure> {
    let selected = session.select(select)?;
    let freshness = session.freshness().await?;
    let mut rows = Vec::new();
    for id in selected.iter() {
        let key = session.definitions.graph().key(id);
        rows.push(row(session, id, freshness.get(key).copied()).await?);
    }
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut headings = vec!["ASSET", "GROUP", "PARTITIONS", "MADE #", "OF #", "FAILED #"];
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
        table.row(cells);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

async fn row(
    session: &Session,
    id: AssetId,
    freshness: Option<FreshnessState>,
) -> Result<Row, Failure> {
    let tally = session.tally(id).await?;
    let spec = session.definitions.graph().asset(id);
    Ok(Row {
        key: spec.key.to_string(),
        group: spec.group.to_string(),
        partitions: label::partitions(spec.partitions.as_deref()),
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
