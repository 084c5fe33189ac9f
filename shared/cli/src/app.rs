//! From the command line to a command.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use precip_core::partitions::PartitionContext;
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    run::{Clock, SystemClock, partition_context, renumber_changed},
    state::{StateStore, memory::MemoryStore},
};
use precip_local::home::Home;

use crate::{
    args::{AutomationAction, Command, Global, On, Root, ScheduleAction},
    command, dev,
    exit::Exit,
    failure::{Failure, causes},
    launch,
    place::{DeploymentNames, Place, Platform},
    session::Session,
};

/// Runs the command line of a project: reads the arguments, runs one command, and says how it ended.
///
/// `definitions` is called after the arguments are read, so that `--help` works in a project whose
/// definitions are wrong.
///
/// `aws` connects to deployments, in a binary that was built to know them.
pub fn main(
    definitions: fn() -> Result<Definitions, InvalidDefinitions>,
    aws: Option<&dyn Platform>,
) -> ExitCode {
    let root = Root::parse();
    let done = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            let done = runtime.block_on(run(root, definitions, aws));
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
    aws: Option<&dyn Platform>,
) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    if let Command::Completions { shell } = root.command {
        let program = std::env::args_os().next();
        return command::completions(shell, program.as_deref(), &mut out);
    }
    let definitions = definitions().map_err(|error| invalid(&error))?;
    let session = open(definitions, &root, aws).await?;
    if !matches!(root.command, Command::Doctor) {
        // A name that is mistyped is told by every command; `doctor` lists it with what else is wrong.
        launch::environment(&session)?;
    }
    if let Command::Dev(args) = root.command {
        drop(out);
        return dev::dev(Arc::new(session), &args, root.global.now).await;
    }
    let done = dispatch(&session, root.command, &mut out).await;
    out.flush()?;
    done
}

/// The name of the project's binary.
pub(crate) fn program() -> String {
    let path = std::env::args_os().next().map(std::path::PathBuf::from);
    let name = path.as_deref().and_then(std::path::Path::file_stem);
    name.map_or_else(
        || "precip".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
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
            | Command::Automation {
                action: Some(AutomationAction::On | AutomationAction::Off),
            }
            | Command::Schedule {
                action: Some(ScheduleAction::Start | ScheduleAction::Stop),
                ..
            }
    )
}

/// Whether a command is about the project alone, wherever it runs.
fn is_about_the_project(command: &Command) -> bool {
    matches!(
        command,
        Command::Describe { .. } | Command::Synth(_) | Command::Completions { .. }
    )
}

/// Whether a command makes something of the record's numbers of partitions, which are those of the
/// definitions that the record was written with.
fn reads_numbers(command: &Command) -> bool {
    matches!(
        command,
        Command::Assets { .. }
            | Command::Asset { .. }
            | Command::Graph { .. }
            | Command::Partitions { .. }
            | Command::Checks { .. }
            | Command::Automation { .. }
    )
}

async fn open(
    definitions: Definitions,
    root: &Root,
    aws: Option<&dyn Platform>,
) -> Result<Session, Failure> {
    let global = &root.global;
    let definitions = Arc::new(definitions);
    let now = global.now.unwrap_or_else(|| SystemClock.now());
    let (place, store) = match global.on {
        On::Aws if !is_about_the_project(&root.command) => deployment(global, aws).await?,
        On::Aws | On::Local => this_machine(&definitions, global, writes(&root.command))?,
    };
    let context = match (&place, &root.command) {
        // What the record cannot answer, `doctor` says with what else is wrong.
        (Place::Aws(_), Command::Doctor) => PartitionContext::at(now),
        _ => partition_context(&definitions, &store, now).await?,
    };
    if let Place::Local(_) = place {
        renumber_changed(&definitions, &store, &context).await?;
    }
    let session = Session {
        definitions,
        place,
        environment: global.environment.clone(),
        store,
        context,
        pretended: global.now.is_some(),
        json: global.json,
    };
    if reads_numbers(&root.command)
        && let Some(other) = launch::same_partitions(&session).await?
    {
        let help = other.help.unwrap_or_default();
        session.say(&format!("warning: {}; {help}", other.message));
    }
    Ok(session)
}

type Opened = (Place, Arc<dyn StateStore>);

fn this_machine(
    definitions: &Definitions,
    global: &Global,
    writes: bool,
) -> Result<Opened, Failure> {
    let mut home = Home::of_project(std::path::Path::new(""), Some(&global.home));
    // A name that is none is refused where the environment is used.
    if let Ok(first) = definitions.environment(None)
        && let Ok(chosen) = definitions.environment(global.environment.as_deref())
        && chosen.name() != first.name()
    {
        home = home.of_environment(chosen.name());
    }
    let store: Arc<dyn StateStore> = if writes || home.state_db().exists() {
        let store = home
            .open_state()
            .map_err(|error| Failure::environment(error.to_string()).detail(&causes(&error)))?;
        Arc::new(store)
    } else {
        Arc::new(MemoryStore::new())
    };
    Ok((Place::Local(home), store))
}

async fn deployment(global: &Global, aws: Option<&dyn Platform>) -> Result<Opened, Failure> {
    let aws = aws.ok_or_else(|| {
        Failure::environment("this binary was built without AWS, and knows this machine only").help(
            format!(
                "build it with the feature: `cargo run --features aws -- ..` (your crate has \
                 `aws = [\"precip/aws\"]` under `[features]`), or leave `--on aws` and {} out",
                crate::env::ON
            ),
        )
    })?;
    let names = DeploymentNames::read(global)?;
    let connected = aws.connect(&names).await;
    let deployment = connected.map_err(|error| Failure::environment(error.message))?;
    let store = Arc::clone(&deployment.store);
    Ok((Place::Aws(Arc::new(deployment)), store))
}

async fn dispatch(
    session: &Session,
    command: Command,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        Command::Assets { select } => command::assets(session, &select, out).await,
        Command::Asset { key, partition } => {
            command::asset(session, &key, partition.as_deref(), out).await
        }
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
        Command::Gc(args) => command::gc(session, &args, out).await,
        Command::Cancel { id } => command::cancel(session, &id).await,
        Command::Automation {
            action: None | Some(AutomationAction::List),
        } => command::automation(session, out).await,
        Command::Automation {
            action: Some(AutomationAction::Explain { key }),
        } => command::explain(session, &key, out).await,
        Command::Automation {
            action: Some(AutomationAction::Status),
        } => command::automation_status(session, out).await,
        Command::Automation {
            action: Some(AutomationAction::On),
        } => command::turn_automation(session, true).await,
        Command::Automation {
            action: Some(AutomationAction::Off),
        } => command::turn_automation(session, false).await,
        Command::Automation {
            action: Some(AutomationAction::History { key, limit }),
        } => command::automation_history(session, &key, limit, out).await,
        Command::Describe { schema } => command::describe(session, schema, out),
        Command::Pools { action } => match action {
            None | Some(crate::args::PoolAction::List) => command::pools(session, out).await,
            Some(crate::args::PoolAction::Limit { pool, slots }) => {
                command::set_pool_limit(session, &pool, slots).await
            }
        },
        Command::Cost(args) => command::cost(session, &args, out).await,
        Command::Synth(args) => command::synth(session, &args, out),
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
