//! `gc`: unreferenced stored data.

use std::io::Write;

use precip_engine::{
    definitions::DEFAULT_IO_MANAGER,
    gc::{Garbage, SafeAge, find_garbage, moment_before, remove_garbage},
};
use precip_local::{
    home::{HomeError, OldRun},
    state::OldRecords,
};
use serde::Serialize;

use crate::{
    args::GcArgs,
    exit::Exit,
    failure::{Failure, cause_lines},
    launch,
    output::{Table, format_bytes, format_count, write_json},
    session::Session,
    target::Target,
};

/// The garbage of one asset.
#[derive(Debug, Serialize)]
struct Row {
    asset: String,
    attempts: usize,
    bytes: u64,
    /// Number of unreferenced attempts that are kept for now.
    kept: u64,
    /// Number of attempts of runs that are not on record.
    foreign: u64,
    removed: bool,
    pointers: Vec<String>,
}

/// Lists the stored attempts that no materialization refers to and no run can be reading, and counts the history
/// that is older than its retention. With `--delete` removes both.
///
/// # Errors
/// [`Failure`] when the record or a store cannot be read or written.
pub(crate) async fn collect_garbage(
    session: &Session,
    args: &GcArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if args.delete && session.now_overridden {
        return Err(
            Failure::usage("`gc --delete` uses the clock, and `--now` overrides it").with_help(
                "leave `--now` out, or leave `--delete` out to list what would be removed then",
            ),
        );
    }
    let graph = session.definitions.graph();
    let selected = session.select_assets(&args.select)?;
    let manager_name = |asset| graph.asset(asset).io_manager.as_deref();
    let names = selected
        .iter()
        .map(|asset| manager_name(asset).unwrap_or(DEFAULT_IO_MANAGER).to_owned())
        .collect();
    let io_managers = launch::open_io_managers(session, names).await?;
    let failed = |error: precip_engine::gc::GcError| {
        Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
    };
    // Determined before anything is listed: a run that starts later reads what is published by then.
    let age =
        SafeAge::read_unfinished_runs(session.store.as_ref(), session.context.now, args.older_than);
    let age = age.await.map_err(failed)?;
    let mut rows = Vec::new();
    for asset in selected.iter() {
        let Some(manager) = io_managers.get(manager_name(asset)) else {
            continue;
        };
        let key = &graph.asset(asset).key;
        let found = find_garbage(session.store.as_ref(), manager.as_ref(), key, &age);
        let Some(found) = found.await.map_err(failed)? else {
            continue;
        };
        if args.delete {
            remove_garbage(manager.as_ref(), &found)
                .await
                .map_err(failed)?;
        }
        if found.kept + found.foreign > 0 || !found.attempts.is_empty() {
            rows.push(garbage_row(&found, args.delete));
        }
    }
    let history = collect_history(session, args).await?;
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    write_table(&rows, out)?;
    print_summary(session, args, &rows, &age);
    print_history(session, args, &history);
    Ok(Exit::Done)
}

/// The old part of a home's history.
#[derive(Debug, Default)]
struct History {
    runs: Vec<OldRun>,
    records: OldRecords,
}

/// Finds the plans of runs that ended long ago and the events that nothing refers to. With `--delete` removes them.
/// A selection of assets is about their data alone, and a deployment keeps its history.
///
/// # Errors
/// [`Failure`] when the home cannot be read or written.
async fn collect_history(session: &Session, args: &GcArgs) -> Result<History, Failure> {
    let home = match &session.target {
        Target::Local(home) if args.select == "*" => home,
        Target::Local(_) | Target::Aws(_) => return Ok(History::default()),
    };
    let failed = |error: HomeError| {
        Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
    };
    let opened = if args.delete {
        home.open_state().map(Some)
    } else {
        home.open_existing_state()
    };
    let Some(store) = opened.map_err(failed)? else {
        return Ok(History::default());
    };
    let before = moment_before(session.context.now, args.keep_history);
    let runs = home.find_old_runs(&store, before).await.map_err(failed)?;
    if !args.delete {
        let records = store.count_old_records(before).await?;
        return Ok(History { runs, records });
    }
    for run in &runs {
        home.remove_old_run(run).map_err(failed)?;
    }
    let records = store.remove_old_records(before).await?;
    Ok(History { runs, records })
}

fn print_history(session: &Session, args: &GcArgs, history: &History) {
    let History { runs, records } = history;
    let counts = [
        (runs.len() as u64, "plan"),
        (records.events, "event"),
        (records.ticks, "tick"),
    ];
    let named: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format_count(count, noun))
        .collect();
    if named.is_empty() {
        return;
    }
    let size = format_bytes(runs.iter().map(|run| run.bytes).sum());
    let named = named.join(", ");
    session.print_note(&if args.delete {
        format!("history: {named} removed, {size} of plans")
    } else {
        format!(
            "history: {named}, {size} of plans; nothing was removed: `gc --delete` removes them"
        )
    });
}

fn garbage_row(found: &Garbage, removed: bool) -> Row {
    let pointers = found.attempts.iter().map(|attempt| attempt.pointer.clone());
    Row {
        asset: found.asset.to_string(),
        attempts: found.attempts.len(),
        bytes: found.total_bytes(),
        kept: found.kept,
        foreign: found.foreign,
        removed,
        pointers: pointers.collect(),
    }
}

fn write_table(rows: &[Row], out: &mut dyn Write) -> Result<(), Failure> {
    let mut table = Table::new(["ASSET", "ATTEMPTS #", "SIZE #", "KEPT #"]);
    for row in rows {
        table.add_row([
            row.asset.clone(),
            row.attempts.to_string(),
            format_bytes(row.bytes),
            (row.kept + row.foreign).to_string(),
        ]);
    }
    Ok(table.write_to(out)?)
}

fn print_summary(session: &Session, args: &GcArgs, rows: &[Row], age: &SafeAge) {
    let attempts: usize = rows.iter().map(|row| row.attempts).sum();
    let counted_attempts = format_count(attempts as u64, "attempt");
    let size = format_bytes(rows.iter().map(|row| row.bytes).sum());
    session.print_note(&match (args.delete, attempts) {
        (_, 0) => "nothing to remove".to_owned(),
        (true, _) => format!("{counted_attempts} removed, {size}"),
        (false, _) => {
            format!("{counted_attempts}, {size}; nothing was removed: `gc --delete` removes them")
        }
    });
    // Another project or environment may share the store.
    let foreign: u64 = rows.iter().map(|row| row.foreign).sum();
    if foreign > 0 {
        session.print_note(&format!(
            "{foreign} attempts belong to runs that are not on this record, and are kept"
        ));
    }
    if age.is_held_back() {
        session.print_note(
            "an unfinished run keeps what it may be reading: `runs` lists it, `resume` or `cancel` ends it",
        );
    }
}
