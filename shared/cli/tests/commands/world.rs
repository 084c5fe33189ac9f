//! A folder, a record and a moment for commands to work with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Parser;
use precip_cli::{
    args::{Command, MaterializeArgs, Root},
    command,
    exit::Exit,
    failure::Failure,
    launch,
    place::Place,
    session::Session,
};
use precip_core::partitions::PartitionContext;
use precip_engine::{
    definitions::Definitions,
    state::{DynamicPartitionStore, StateStore},
};
use precip_local::home::Home;
use tempfile::TempDir;

use crate::project::definitions;

/// The moment of the tests: four days of the project have passed.
pub(crate) fn now() -> DateTime<Utc> {
    "2024-01-10T12:00:00Z".parse().unwrap()
}

pub(crate) struct World {
    pub(crate) session: Session,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(definitions()).await
    }

    /// With another project.
    pub(crate) async fn of(definitions: Definitions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::of_project(folder.path(), None);
        let store = home.open_state().unwrap();
        store
            .add_partitions("files", &["a.csv".into(), "b.csv".into()])
            .await
            .unwrap();
        let mut context = PartitionContext::at(now());
        context
            .dynamic
            .insert("files".to_owned(), store.partitions("files").await.unwrap());
        let store: Arc<dyn StateStore> = Arc::new(store);
        let session = Session {
            definitions: Arc::new(definitions),
            place: Place::Local(home),
            environment: None,
            store,
            context,
            pretended: false,
            json: false,
        };
        Self {
            session,
            _folder: folder,
        }
    }

    /// The same world seen by a machine.
    pub(crate) fn json(mut self) -> Self {
        self.session.json = true;
        self
    }

    /// Runs what is asked for.
    pub(crate) async fn materialize(&self, arguments: &[&str]) -> Result<Exit, Failure> {
        self.run("materialize", arguments, &mut Vec::new()).await
    }

    /// What a command prints.
    pub(crate) async fn prints(&self, command: &str, arguments: &[&str]) -> String {
        let mut out = Vec::new();
        self.run(command, arguments, &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    /// How a command is refused.
    pub(crate) async fn refuses(&self, command: &str, arguments: &[&str]) -> String {
        let failure = self
            .run(command, arguments, &mut Vec::new())
            .await
            .unwrap_err();
        let mut written = Vec::new();
        let mut plain = anstream::StripStream::new(&mut written);
        failure.write(&mut plain).unwrap();
        format!(
            "exit {}\n{}",
            failure.exit as u8,
            String::from_utf8(written).unwrap()
        )
    }

    /// Runs a command, and answers how it ended.
    pub(crate) async fn run(
        &self,
        command: &str,
        arguments: &[&str],
        out: &mut Vec<u8>,
    ) -> Result<Exit, Failure> {
        let line = ["project", command]
            .into_iter()
            .chain(arguments.iter().copied());
        let session = &self.session;
        match Root::try_parse_from(line).unwrap().command {
            Command::Assets { select } => command::assets(session, &select, out).await,
            Command::Asset { key, partition } => {
                command::asset(session, &key, partition.as_deref(), out).await
            }
            Command::Graph { select, format, .. } => {
                command::graph(session, &select, format, None, out).await
            }
            Command::Partitions { key, status } => {
                command::partitions(session, &key, status, out).await
            }
            Command::Plan(args) => command::plan(session, &args, out).await,
            Command::Materialize(args) => materialize(session, &args, out).await,
            Command::Runs { limit } => command::runs(session, limit, out).await,
            Command::Run { id } => command::run(session, &id, out).await,
            Command::Gc(args) => command::gc(session, &args, out).await,
            Command::Cancel { id } => command::cancel(session, &id).await,
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
                let action = action.unwrap_or(precip_cli::args::DynamicAction::List);
                command::dynamic(session, &set, &action, out).await
            }
            Command::Automation { action } => match action {
                Some(precip_cli::args::AutomationAction::Explain { key }) => {
                    command::explain(session, &key, out).await
                }
                _ => command::automation(session, out).await,
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
            Command::Schedule { name, action } => {
                command::schedule(session, &name, action, out).await
            }
            Command::Ticks { name, limit } => {
                command::ticks(session, name.as_deref(), limit, out).await
            }
            Command::Describe { schema } => command::describe(session, schema, out),
            Command::Doctor => command::doctor(session, out).await,
            other => panic!("{other:?} is not run here"),
        }
    }
}

async fn materialize(
    session: &Session,
    args: &MaterializeArgs,
    out: &mut Vec<u8>,
) -> Result<Exit, Failure> {
    launch::materialize(session, args, out).await
}

/// Puts what differs from run to run out of the way.
pub(crate) fn stable() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9A-HJKMNP-TV-Z]{26}", "[run]");
    // The version of data holds the run that made it.
    settings.add_filter("[0-9a-f]{32}", "[version]");
    settings.add_filter(r"\d+ ms|\d+\.\d s", "[time]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[moment]");
    settings.add_filter(r"project\.rs:\d+", "project.rs:[line]");
    // The column is as wide as the time that a run took.
    settings.add_filter("TOOK +", "TOOK  ");
    settings.add_filter(r"/[^ `]*\.precip", "[home]");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind_to_scope()
}
