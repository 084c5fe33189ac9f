//! [`dispatch`]: the one place that maps commands to what they do.

use std::{io::Write, sync::Arc};

use crate::{
    args::{AutomationAction, Command, DynamicAction, PoolAction},
    command, dev,
    exit::Exit,
    failure::Failure,
    launch,
    output::CleanWriter,
    session::Session,
};

/// Runs a command in an open session. Answers go to `out`, everything else to stderr. Answers for people contain no
/// control characters; data is written as it is.
///
/// # Errors
/// [`Failure`] of the command.
pub async fn dispatch(
    session: &Session,
    command: Command,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    if session.json || command.writes_data() {
        return run_command(session, command, out).await;
    }
    let mut clean = CleanWriter::new(out);
    let outcome = run_command(session, command, &mut clean).await;
    clean.finish()?;
    outcome
}

async fn run_command(
    session: &Session,
    command: Command,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        Command::Assets { select } => command::list_assets(session, &select, out).await,
        Command::Asset { key, partition } => {
            command::show_asset(session, &key, partition.as_deref(), out).await
        }
        Command::Graph {
            select,
            format,
            output,
        } => command::draw_graph(session, &select, format, output.as_deref(), out).await,
        Command::Partitions { key, status } => {
            command::list_partitions(session, &key, status, out).await
        }
        Command::Plan(args) => command::show_plan(session, &args, out).await,
        Command::Materialize(args) => launch::materialize_assets(session, &args, out).await,
        Command::Runs { limit } => command::list_runs(session, limit, out).await,
        Command::Run { id } => command::show_run(session, &id, out).await,
        Command::Resume { id, control } => launch::resume_run(session, &id, &control, out).await,
        Command::Retry { id, control } => launch::retry_run(session, &id, &control, out).await,
        Command::Show {
            key,
            partition,
            format,
            limit,
        } => command::show_data(session, &key, partition.as_deref(), format, limit, out).await,
        Command::Checks {
            key,
            partition,
            failed,
        } => {
            let (key, partition) = (key.as_deref(), partition.as_deref());
            command::list_checks(session, key, partition, failed, out).await
        }
        Command::Dynamic { set, action } => {
            let action = action.unwrap_or(DynamicAction::List);
            command::handle_dynamic_set(session, &set, &action, out).await
        }
        Command::Gc(args) => command::collect_garbage(session, &args, out).await,
        Command::Cancel { id } => command::cancel_run(session, &id).await,
        Command::Automation { action } => match action.unwrap_or(AutomationAction::List) {
            AutomationAction::List => command::list_conditions(session, out).await,
            AutomationAction::Explain { key } => {
                command::explain_condition(session, &key, out).await
            }
            AutomationAction::Status => command::show_automation_status(session, out).await,
            AutomationAction::Start => command::set_automation_running(session, true).await,
            AutomationAction::Stop => command::set_automation_running(session, false).await,
            AutomationAction::History { key, limit } => {
                command::show_automation_history(session, &key, limit, out).await
            }
        },
        Command::Describe { schema } => command::describe_project(session, schema, out),
        Command::Pools { action } => match action.unwrap_or(PoolAction::List) {
            PoolAction::List => command::list_pools(session, out).await,
            PoolAction::Limit { pool, slots } => {
                command::set_pool_limit(session, &pool, slots).await
            }
        },
        Command::Cost(args) => command::show_cost(session, &args, out).await,
        Command::Simulate(args) => command::show_simulation(session, &args, out).await,
        Command::Synth(args) => command::generate_deployment(session, &args, out),
        Command::Sensors => command::list_sensors(session, out).await,
        Command::Sensor {
            name,
            event,
            action,
        } => command::handle_sensor(session, &name, event.as_deref(), action, out).await,
        Command::Schedules => command::list_schedules(session, out).await,
        Command::Schedule { name, action } => {
            command::handle_schedule(session, &name, action, out).await
        }
        Command::Ticks { name, limit } => {
            command::list_ticks(session, name.as_deref(), limit, out).await
        }
        // The session is shared with the runs that `dev` executes in tasks of their own.
        Command::Dev(args) => dev::run_dev(Arc::new(session.clone()), &args).await,
        Command::Doctor => command::run_doctor(session, out).await,
        Command::Completions { shell } => command::write_completions(shell, out),
    }
}
