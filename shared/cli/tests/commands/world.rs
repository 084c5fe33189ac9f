//! [`World`]: a session with a folder, a record and a time of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Parser;
use precip_cli::{
    target::Target,
    testing::{Exit, Failure, Root, Session, dispatch},
};
use precip_core::partitions::PartitionContext;
use precip_engine::{
    definitions::Definitions,
    run::{partition_context, renumber_changed},
    state::{DynamicPartitionStore, StateStore},
};
use precip_local::home::Home;
use tempfile::TempDir;

use crate::project::project_definitions;

/// Returns the time of the tests: four days of the project have passed.
pub(crate) fn test_time() -> DateTime<Utc> {
    "2024-01-10T12:00:00Z".parse().unwrap()
}

/// A project in a folder of its own.
pub(crate) struct World {
    pub(crate) session: Session,
    _folder: TempDir,
}

impl World {
    /// Creates a world with the project of these tests.
    pub(crate) async fn new() -> Self {
        Self::with_definitions(project_definitions()).await
    }

    /// Creates a world with another project.
    pub(crate) async fn with_definitions(definitions: Definitions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::of_project(folder.path(), None);
        let store = home.open_state().unwrap();
        store
            .add_dynamic_keys("files", &["a.csv".into(), "b.csv".into()])
            .await
            .unwrap();
        let mut context = PartitionContext::at(test_time());
        context.dynamic.insert(
            "files".to_owned(),
            store.dynamic_keys("files").await.unwrap(),
        );
        let store: Arc<dyn StateStore> = Arc::new(store);
        let session = Session {
            project: Some("trips".to_owned()),
            definitions: Arc::new(definitions),
            target: Target::Local(home),
            environment: None,
            store,
            context,
            renumbered: Vec::new(),
            now_overridden: false,
            json: false,
        };
        Self {
            session,
            _folder: folder,
        }
    }

    /// Opens the session again with other definitions, as the next command after a change does.
    pub(crate) async fn change_definitions(&mut self, definitions: Definitions) {
        let session = &mut self.session;
        session.definitions = Arc::new(definitions);
        let context = partition_context(&session.definitions, &session.store, test_time());
        session.context = context.await.unwrap();
        let renumbered =
            renumber_changed(&session.definitions, &session.store, &session.context).await;
        session.renumbered = renumbered.unwrap();
    }

    /// Has commands answer in JSON.
    pub(crate) fn with_json(mut self) -> Self {
        self.session.json = true;
        self
    }

    /// Runs `materialize`.
    pub(crate) async fn materialize(&self, arguments: &[&str]) -> Result<Exit, Failure> {
        self.run_command("materialize", arguments, &mut Vec::new())
            .await
    }

    /// Runs a command that succeeds, and returns what it prints.
    pub(crate) async fn output_of(&self, command: &str, arguments: &[&str]) -> String {
        let mut out = Vec::new();
        self.run_command(command, arguments, &mut out)
            .await
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Runs a command that fails, and returns its exit code and message.
    pub(crate) async fn failure_of(&self, command: &str, arguments: &[&str]) -> String {
        let failure = self
            .run_command(command, arguments, &mut Vec::new())
            .await
            .unwrap_err();
        let mut written = Vec::new();
        let mut plain = anstream::StripStream::new(&mut written);
        failure.write_to(&mut plain).unwrap();
        format!(
            "exit {}\n{}",
            failure.exit as u8,
            String::from_utf8(written).unwrap()
        )
    }

    /// Runs a command line through the real dispatcher, and returns its outcome.
    pub(crate) async fn run_command(
        &self,
        command: &str,
        arguments: &[&str],
        out: &mut Vec<u8>,
    ) -> Result<Exit, Failure> {
        let words = ["project", command]
            .into_iter()
            .chain(arguments.iter().copied());
        let root = Root::try_parse_from(words).unwrap();
        dispatch(&self.session, root.command, out).await
    }
}

/// Replaces what differs from run to run in snapshots, until the guard is dropped.
pub(crate) fn stable_snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9A-HJKMNP-TV-Z]{26}", "[run]");
    // A data version is derived from the run.
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
