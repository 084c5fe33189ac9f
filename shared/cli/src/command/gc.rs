//! `gc`: what is stored without any use.

use std::io::Write;

use precip_engine::{
    definitions::DEFAULT_IO_MANAGER,
    gc::{Garbage, SafeAge, garbage, remove},
};
use serde::Serialize;

use crate::{
    args::GcArgs,
    exit::Exit,
    failure::{Failure, causes},
    launch,
    output::{Table, bytes, counted, json},
    session::Session,
};

/// What was found of one asset.
#[derive(Debug, Serialize)]
struct Row {
    asset: String,
    attempts: usize,
    bytes: u64,
    /// Attempts that may be garbage later.
    kept: u64,
    /// Attempts of runs that the record does not know.
    foreign: u64,
    removed: bool,
    pointers: Vec<String>,
}

/// Lists the stored attempts that nothing points at and that nobody can be reading; removes them if
/// asked to.
///
/// # Errors
/// [`Failure`] when the record or a store cannot be read or written.
pub async fn gc(session: &Session, args: &GcArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    if args.delete && session.pretended {
        return Err(Failure::usage(
            "`gc --delete` goes by the clock, and `--now` pretends another time",
        )
        .help("leave `--now` out; without `--delete`, it shows what would be removed then"));
    }
    let graph = session.definitions.graph();
    let selected = session.select(&args.select)?;
    let named = |asset| graph.asset(asset).io_manager.as_deref();
    let names = selected
        .iter()
        .map(|asset| named(asset).unwrap_or(DEFAULT_IO_MANAGER).to_owned())
        .collect();
    let io_managers = launch::io_managers(session, names).await?;
    let failed = |error: precip_engine::gc::GcError| {
        Failure::environment(error.to_string()).detail(&causes(&error))
    };
    // Read before anything is listed: a run that begins later reads what is published by then.
    let age = SafeAge::read(session.store.as_ref(), session.context.now, args.older_than);
    let age = age.await.map_err(failed)?;
    let mut rows = Vec::new();
    for asset in selected.iter() {
        let Some(manager) = io_managers.get(named(asset)) else {
            continue;
        };
        let key = &graph.asset(asset).key;
        let found = garbage(session.store.as_ref(), manager.as_ref(), key, &age);
        let Some(found) = found.await.map_err(failed)? else {
            continue;
        };
        if args.delete {
            remove(manager.as_ref(), &found).await.map_err(failed)?;
        }
        if found.kept + found.foreign > 0 || !found.attempts.is_empty() {
            rows.push(row(&found, args.delete));
        }
    }
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    write(&rows, out)?;
    say(session, args, &rows, &age);
    Ok(Exit::Done)
}

fn row(found: &Garbage, removed: bool) -> Row {
    let pointers = found.attempts.iter().map(|attempt| attempt.pointer.clone());
    Row {
        asset: found.asset.to_string(),
        attempts: found.attempts.len(),
        bytes: found.bytes(),
        kept: found.kept,
        foreign: found.foreign,
        removed,
        pointers: pointers.collect(),
    }
}

fn write(rows: &[Row], out: &mut dyn Write) -> Result<(), Failure> {
    let mut table = Table::new(["ASSET", "ATTEMPTS #", "SIZE #", "KEPT #"]);
    for row in rows {
        table.row([
            row.asset.clone(),
            row.attempts.to_string(),
            bytes(row.bytes),
            (row.kept + row.foreign).to_string(),
        ]);
    }
    Ok(table.write(out)?)
}

fn say(session: &Session, args: &GcArgs, rows: &[Row], age: &SafeAge) {
    let attempts: usize = rows.iter().map(|row| row.attempts).sum();
    let counted_attempts = counted(attempts as u64, "attempt");
    let size = bytes(rows.iter().map(|row| row.bytes).sum());
    session.say(&match (args.delete, attempts) {
        (_, 0) => "nothing to remove".to_owned(),
        (true, _) => format!("{counted_attempts} removed, {size}"),
        (false, _) => {
            format!("{counted_attempts}, {size}; nothing was removed: `gc --delete` does that")
        }
    });
    let foreign: u64 = rows.iter().map(|row| row.foreign).sum();
    if foreign > 0 {
        session.say(&format!(
            "{foreign} attempts are of runs that this record does not know: they are left alone"
        ));
    }
    if age.is_held_back() {
        session.say(
            "a run that is not finished keeps what it may be reading: `runs` shows it, and `resume` or \
             `cancel` ends it",
        );
    }
}
