//! `show`: what is stored.

use std::io::Write;

use precip_engine::{
    definitions::DEFAULT_IO_MANAGER,
    io::{Address, LoadRequest},
    state::{PartitionRef, ReadConsistency},
};
use precip_io::Value;

use crate::{
    args::TableFormat,
    exit::Exit,
    failure::{Failure, causes},
    launch,
    output::{Table, json},
    session::Session,
};

/// Prints what is stored of an asset or of one of its partitions.
///
/// # Errors
/// [`Failure`] when there is nothing stored, or it cannot be read.
pub async fn show(
    session: &Session,
    key: &str,
    partition: Option<&str>,
    format: TableFormat,
    limit: Option<usize>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let asset = session.asset(key)?;
    let target = session.target(asset, partition)?;
    let value = load(session, &target).await?;
    let damaged = |error: &dyn std::error::Error| {
        Failure::environment(format!(
            "what is stored of {target} cannot be shown: {error}"
        ))
    };
    match (format, session.json) {
        (TableFormat::Csv, false) => {
            let limited = limit.map_or_else(|| value.clone(), |limit| value.first(limit));
            let csv = limited.to_csv().map_err(|error| damaged(&error))?;
            out.write_all(csv.as_bytes())?;
        }
        (TableFormat::Json, _) | (_, true) => {
            let limited = limit.map_or_else(|| value.clone(), |limit| value.first(limit));
            json(out, &limited.to_json().map_err(|error| damaged(&error))?)?;
        }
        (TableFormat::Table, false) => {
            let limit = limit.unwrap_or(usize::MAX);
            let grid = value.to_grid(limit).map_err(|error| damaged(&error))?;
            let headings: Vec<String> = grid
                .columns
                .iter()
                .map(|(name, number)| {
                    if *number {
                        format!("{name} #")
                    } else {
                        name.clone()
                    }
                })
                .collect();
            let mut table = Table::new(headings.iter().map(String::as_str));
            grid.rows.iter().for_each(|row| table.row(row));
            table.write(out)?;
            if grid.rows.len() < grid.total {
                session.say(&format!("{} of {} rows", grid.rows.len(), grid.total));
            }
        }
    }
    Ok(Exit::Done)
}

async fn load(session: &Session, target: &PartitionRef) -> Result<Value, Failure> {
    let latest = session
        .store
        .latest(target, ReadConsistency::Strong)
        .await?;
    let Some(made) = latest.as_ref().and_then(|latest| latest.published()) else {
        return Err(Failure::usage(format!("{target} is not materialized"))
            .help(format!("`partitions {}` says what is", target.asset)));
    };
    let Some(pointer) = &made.pointer else {
        let partition = target.partition.as_ref();
        let partition = partition.map(|key| format!(" --partition '{key}'"));
        return Err(
            Failure::usage(format!("{target} was stored by its own function")).help(format!(
                "look where the function puts it: `asset {}{}` shows the facts that it left",
                target.asset,
                partition.unwrap_or_default()
            )),
        );
    };
    let graph = session.definitions.graph();
    let spec = graph.id(&target.asset).map(|id| graph.asset(id));
    let name = spec.and_then(|spec| spec.io_manager.as_deref());
    let named = name.unwrap_or(DEFAULT_IO_MANAGER).to_owned();
    let io_managers = launch::io_managers(session, [named].into()).await?;
    let address = Address {
        asset: target.asset.clone(),
        partition: target.partition.clone(),
        run: made.run,
        attempt: made.attempt,
    };
    let unreadable = |message: String| Failure::environment(message);
    let manager = io_managers.get(name).ok_or_else(|| {
        unreadable(format!(
            "the environment has no IO manager for `{}`",
            target.asset
        ))
    })?;
    let value = manager
        .load(&address, pointer, &LoadRequest::everything())
        .await
        .map_err(|error| unreadable(error.to_string()).detail(&causes(&error)))?;
    value.downcast::<Value>().map_err(|_| {
        Failure::usage(format!("what is stored of {target} has a form of its own"))
            .help("its IO manager does not answer with `precip::io::Value`, so it cannot be shown")
    })
}
