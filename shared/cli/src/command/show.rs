//! `show`: stored data.

use std::io::Write;

use precip_core::prose::shell_word;
use precip_engine::{
    definitions::DEFAULT_IO_MANAGER,
    io::{Address, LoadRequest},
    state::{PartitionRef, ReadConsistency},
};
use precip_io::Value;

use crate::{
    args::TableFormat,
    exit::Exit,
    failure::{Failure, cause_lines},
    launch,
    output::{Table, write_json},
    session::Session,
};

/// Prints the stored data of an asset or of one of its partitions.
///
/// # Errors
/// [`Failure`] when nothing is stored, or it cannot be read.
pub(crate) async fn show_data(
    session: &Session,
    key: &str,
    partition: Option<&str>,
    format: TableFormat,
    limit: Option<usize>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let asset = session.asset_id(key)?;
    let target = session.partition_ref(asset, partition)?;
    let value = load_value(session, &target).await?;
    let damaged = |error: &dyn std::error::Error| {
        Failure::environment(format!("the data of {target} cannot be shown: {error}"))
    };
    match (format, session.json) {
        (TableFormat::Csv, false) => {
            let limited = limit.map_or_else(|| value.clone(), |limit| value.first_rows(limit));
            let csv = limited.to_csv().map_err(|error| damaged(&error))?;
            out.write_all(csv.as_bytes())?;
        }
        (TableFormat::Json, _) | (_, true) => {
            let limited = limit.map_or_else(|| value.clone(), |limit| value.first_rows(limit));
            write_json(out, &limited.to_json().map_err(|error| damaged(&error))?)?;
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
            grid.rows.iter().for_each(|row| table.add_row(row));
            table.write_to(out)?;
            if grid.rows.len() < grid.total {
                session.print_note(&format!("{} of {} rows", grid.rows.len(), grid.total));
            }
        }
    }
    Ok(Exit::Done)
}

async fn load_value(session: &Session, target: &PartitionRef) -> Result<Value, Failure> {
    let latest = session
        .store
        .latest_materialization(target, ReadConsistency::Strong)
        .await?;
    let Some(made) = latest.as_ref().and_then(|latest| latest.published()) else {
        if latest.is_some_and(|latest| latest.skip.is_some()) {
            return Err(Failure::usage(format!(
                "{target} is skipped: there was nothing to make, so nothing is stored"
            ))
            .with_help(format!("`partitions {}` lists what is", target.asset)));
        }
        return Err(Failure::usage(format!("{target} is not materialized"))
            .with_help(format!("`partitions {}` lists what is", target.asset)));
    };
    // A function without a return value stores its data itself.
    let Some(pointer) = &made.pointer else {
        let partition = target
            .partition
            .as_ref()
            .map(|key| format!(" --partition {}", shell_word(key.as_str())));
        return Err(Failure::usage(format!(
            "{target} was stored by its function, not by an IO manager"
        ))
        .with_help(format!(
            "look where the function stores it: `asset {}{}` shows its metadata",
            target.asset,
            partition.unwrap_or_default()
        )));
    };
    let graph = session.definitions.graph();
    let spec = graph.id(&target.asset).map(|id| graph.asset(id));
    let name = spec.and_then(|spec| spec.io_manager.as_deref());
    let named = name.unwrap_or(DEFAULT_IO_MANAGER).to_owned();
    let io_managers = launch::open_io_managers(session, [named].into()).await?;
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
        .map_err(|error| unreadable(error.to_string()).with_detail(&cause_lines(&error)))?;
    value.downcast::<Value>().map_err(|_| {
        Failure::usage(format!(
            "the IO manager of {target} returns a type of its own"
        ))
        .with_help("`show` prints what IO managers return as `precip::io::Value`")
    })
}
