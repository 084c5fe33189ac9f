//! `pools`: how many ops of a pool run at once.

use std::{collections::BTreeSet, io::Write};

use precip_core::nearest::{nearest, or_list};
use serde::Serialize;

use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, json},
    session::Session,
};

/// One pool in the list.
#[derive(Debug, Serialize)]
struct Row {
    pool: String,
    /// How many ops run at once; nothing for no limit.
    limit: Option<u32>,
    taken: usize,
}

/// Lists the pools that ops name, with their limits and the slots that are taken.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub async fn pools(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for pool in named(session) {
        let state = session.store.pool(&pool, session.context.now).await?;
        rows.push(Row {
            pool,
            limit: state.limit,
            taken: state.slots.len(),
        });
    }
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["POOL", "LIMIT #", "TAKEN #"]);
    for row in &rows {
        let limit = row
            .limit
            .map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        table.row([row.pool.clone(), limit, row.taken.to_string()]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

/// Sets how many ops of a pool run at once; `None` for no limit. Ops that run go on.
///
/// # Errors
/// [`Failure`] when no op names the pool, or the record cannot be written.
pub async fn set_pool_limit(
    session: &Session,
    pool: &str,
    limit: Option<u32>,
) -> Result<Exit, Failure> {
    let known = named(session);
    if !known.contains(pool) {
        let near = nearest(pool, known.iter().map(String::as_str));
        let failure = Failure::usage(format!("no op of this project is in a pool `{pool}`"));
        return Err(match near.as_slice() {
            [] => failure.help("write `pool = \"name\"` on the assets that share it"),
            near => failure.help(format!("did you mean {}?", or_list(near))),
        });
    }
    session.store.set_pool_limit(pool, limit).await?;
    Ok(Exit::Done)
}

/// The pools that ops name.
fn named(session: &Session) -> BTreeSet<String> {
    let ops = session.definitions.ops();
    ops.filter_map(|op| op.spec.pool.clone()).collect()
}
