//! `pools`: limits on the number of ops that run at once.

use std::{collections::BTreeSet, io::Write};

use precip_core::prose::did_you_mean;
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, write_json},
    session::Session,
};

/// One pool in the list.
#[derive(Debug, Serialize)]
struct Row {
    pool: String,
    /// Number of ops that run at once; `None` for no limit.
    limit: Option<u32>,
    taken: usize,
}

/// Lists the pools that ops use, with their limits and the number of slots taken.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn list_pools(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for pool in pool_names(session) {
        let state = session.store.pool_state(&pool, session.context.now).await?;
        rows.push(Row {
            pool,
            limit: state.limit,
            taken: state.slots.len(),
        });
    }
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["POOL", "LIMIT #", "TAKEN #"]);
    for row in &rows {
        let limit = row
            .limit
            .map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        table.add_row([row.pool.clone(), limit, row.taken.to_string()]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

/// Sets the number of ops of a pool that run at once; `None` for no limit. Running ops continue.
///
/// # Errors
/// [`Failure`] when no op uses the pool, or the record cannot be written.
pub(crate) async fn set_pool_limit(
    session: &Session,
    pool: &str,
    limit: Option<u32>,
) -> Result<Exit, Failure> {
    let known = pool_names(session);
    if !known.contains(pool) {
        let help = did_you_mean(pool, known.iter().map(String::as_str))
            .unwrap_or_else(|| "write `pool = \"name\"` on the assets that share it".to_owned());
        let message = format!("no op of this project is in a pool `{pool}`");
        return Err(Failure::usage(message).with_help(help));
    }
    session.store.set_pool_limit(pool, limit).await?;
    Ok(Exit::Done)
}

/// Returns the names of the pools that ops use.
fn pool_names(session: &Session) -> BTreeSet<String> {
    let ops = session.definitions.ops();
    ops.filter_map(|op| op.spec.pool.clone()).collect()
}
