//! From the command line to a command.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::{CommandFactory, Parser};
use precip_core::partitions::PartitionContext;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    run::{Clock, SystemClock, partition_context, renumber_changed},
    state::{StateStore, memory::MemoryStore},
};
use precip_local::home::Home;

use crate::{
    args::{AutomationAction, Command, Global, Root, ScheduleAction},
    command, dev,
    exit::Exit,
    failure::{Failure, causes},
    launch,
    session::Session,
};

/// Runs the command line of a project: reads the arguments, runs one command, and says how it ended.
///
/// `definitions` is called after the arguments are read, so that `--help` works in a project whose
/// definitions are wrong.
pub fn main(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    let root = Root::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            let done = runtime.block_on(run(root, definitions));
            // A function that was given up on may keep its thread for ever: nobody waits for it.
            runtime.shutdown_background();
            done
        });
    let exit = done.unwrap_or_else(|failure| {
        let closed = failure.exit == Exit::Done;
        if !closed {
            // Nobody is left to be told when this fails too.
            let _ = failure.write(&mut anstream::stderr());
        }
        failure.exit
    });
    exit.into()
}

async fn run(
    root: Root,
    definitions: fn() -> Result<Definitions, InvalidDefinitions>,
) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    if let Command::Completions { shell } = root.command {
        let mut command = Root::command();
        let name = std::env::args_os()
            .next()
            .and_then(|path| {
                Some(
                    std::path::Path::new(&path)
                        .file_stem()?
                        .to_string_lossy()
                        .into_owned(),
                )
            })
            .unwrap_or_else(|| "precip".to_owned());
        clap_complete::generate(shell, &mut command, name, &mut out);
        return Ok(Exit::Done);
    }
    let definitions = definitions().map_err(|error| invalid(&error))?;
    let session = open(definitions, &root.global, writes(&root.command)).await?;
    if let Command::Dev(args) = root.command {
        drop(out);
        return dev::dev(Arc::new(session), &args, root.global.now).await;
    }
    let done = dispatch(&session, root.command, &mut out).await;
    out.flush()?;
    done
}

fn invalid(error: &InvalidDefinitions) -> Failure {
    let count = error.problems().len();
    let message = if count == 1 {
        "the definitions have a problem".to_owned()
    } else {
        format!("the definitions have {count} problems")
    };
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    Failure::new(Exit::Definitions, message).detail(&problems.join("\n"))
}

/// Whether a command changes the record. The others leave a folder without a home as it is.
fn writes(command: &Command) -> bool {
    matches!(
        command,
        Command::Materialize(_)
            | Command::Resume { .. }
            | Command::Retry { .. }
            | Command::Cancel { .. }
            | Command::Dynamic { .. }
            | Command::Pools { .. }
            | Command::Dev(_)
            | Command::Sensor {
                action: Some(_),
                ..
            }
            | Command::Schedule {
                action: Some(ScheduleAction::Start | ScheduleAction::Stop),
                ..
            }
    )
}

async fn open(definitions: Definitions, global: &Global, writes: bool) -> Result<Session, Failure> {
    let home = Home::of_project(std::path::Path::new(""), Some(&global.home));
    let store: Arc<dyn StateStore> = if writes || home.state_db().exists() {
        let store = home
            .open_state()
            .map_err(|error| Failure::environment(error.to_string()).detail(&causes(&error)))?;
        Arc::new(store)
    } else {
        Arc::new(MemoryStore::new())
    };
    let definitions = Arc::new(definitions);
    let now = global.now.unwrap_or_else(|| SystemClock.now());
    let context: PartitionContext = partition_context(&definitions, &store, now).await?;
    renumber_changed(&definitions, &store, &context).await?;
    Ok(Session {
        definitions,
        home,
        environment: global.environment.clone(),
        store,
        context,
        json: global.json,
    })
}

async fn dispatch(
    session: &Session,
    command: Command,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        Command::Assets { select } => command::assets(session, &select, out).await,
        Command::Asset { key } => command::asset(session, &key, out).await,
        Command::Graph {
            select,
            format,
            output,
        } => command::graph(session, &select, format, output.as_deref(), out).await,
        Command::Partitions { key, status } => {
            command::partitions(session, &key, status, out).await
        }
        Command::Plan(args) => command::plan(session, &args, out).await,
        Command::Materialize(args) => launch::materialize(session, &args, out).await,
        Command::Runs { limit } => command::runs(session, limit, out).await,
        Command::Run { id } => command::run(session, &id, out).await,
        Command::Resume { id, control } => launch::resume(session, &id, &control, out).await,
        Command::Retry { id, control } => launch::retry(session, &id, &control, out).await,
        Command::Show {
            key,
            partition,
            format,
            limit,
        } => command::show(session, &key, partition.as_deref(), format, limit, out).await,
        Command::Checks { key, partition } => {
            command::checks(session, &key, partition.as_deref(), out).await
        }
        Command::Dynamic { set, action } => {
            let action = action.unwrap_or(crate::args::DynamicAction::List);
            command::dynamic(session, &set, &action, out).await
        }
        Command::Cancel { id } => command::cancel(session, &id).await,
        Command::Automation {
            action: None | Some(AutomationAction::List),
        } => command::automation(session, out).await,
        Command::Automation {
            action: Some(AutomationAction::Explain { key }),
        } => command::explain(session, &key, out).await,
        Command::Describe { schema } => command::describe(session, schema, out),
        Command::Pools { action } => match action {
            None | Some(crate::args::PoolAction::List) => command::pools(session, out).await,
            Some(crate::args::PoolAction::Limit { pool, slots }) => {
                command::set_pool_limit(session, &pool, slots).await
            }
        },
        Command::Sensors => command::sensors(session, out).await,
        Command::Sensor {
            name,
            event,
            action,
        } => command::sensor(session, &name, event.as_deref(), action, out).await,
        Command::Schedules => command::schedules(session, out).await,
        Command::Schedule { name, action } => command::schedule(session, &name, action, out).await,
        Command::Ticks { name, limit } => {
            command::ticks(session, name.as_deref(), limit, out).await
        }
        // It has its session to itself, as what it starts lives as long.
        Command::Dev(_) => Ok(Exit::Done),
        Command::Doctor => command::doctor(session, out).await,
        Command::Completions { .. } => Ok(Exit::Done),
    }
}
