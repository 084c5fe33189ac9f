//! Opening a session: where the command acts, its record, and the partitions that exist.

use std::{path::Path, sync::Arc};

use precip_core::partitions::PartitionContext;
use precip_engine::{
    definitions::Definitions,
    run::{Clock, SystemClock, partition_context, renumber_changed},
    state::{StateStore, memory::MemoryStore},
};
use precip_local::home::Home;

use crate::{
    args::{Access, Command, Global, Root, TargetKind},
    failure::{Failure, cause_lines},
    launch,
    session::Session,
    target::{DeploymentNames, Platform, Target},
};

/// Opens a session for the command, in the project of this name.
///
/// # Errors
/// [`Failure`] when the record cannot be opened or read.
pub(crate) async fn open_session(
    project: Option<String>,
    definitions: Definitions,
    root: &Root,
    aws: Option<&dyn Platform>,
) -> Result<Session, Failure> {
    let global = &root.global;
    let definitions = Arc::new(definitions);
    let now = global.now.unwrap_or_else(|| SystemClock.now());
    let access = root.command.access();
    let (target, store) = match global.target {
        TargetKind::Aws if access != Access::Project => connect_deployment(global, aws).await?,
        TargetKind::Aws | TargetKind::Local => open_home(&definitions, global, access)?,
    };
    let context = match (&target, &root.command) {
        // `doctor` reports an unreadable record together with the other problems.
        (Target::Aws(_), Command::Doctor) => PartitionContext::at(now),
        _ => partition_context(&definitions, &store, now).await?,
    };
    let renumbered = match target {
        // Before anything reads partition numbers. On AWS the planner does it. Partitions that exist
        // keep their records, also if `--now` is before them.
        Target::Local(_) => {
            let latest = now.max(SystemClock.now());
            let present = partition_context(&definitions, &store, latest).await?;
            renumber_changed(&definitions, &store, &present).await?
        }
        Target::Aws(_) => Vec::new(),
    };
    let session = Session {
        project,
        definitions,
        target,
        environment: global.environment.clone(),
        store,
        context,
        renumbered,
        now_overridden: global.now.is_some(),
        json: global.json,
    };
    if access == Access::ReadPartitions
        && let Some(mismatch) = launch::find_partition_mismatch(&session).await?
    {
        let help = mismatch.help.unwrap_or_default();
        session.print_note(&format!("warning: {}; {help}", mismatch.message));
    }
    Ok(session)
}

type OpenTarget = (Target, Arc<dyn StateStore>);

fn open_home(
    definitions: &Definitions,
    global: &Global,
    access: Access,
) -> Result<OpenTarget, Failure> {
    let mut home = Home::of_project(Path::new(""), Some(&global.home));
    // An unknown environment is refused where it is used.
    if let Ok(first) = definitions.environment(None)
        && let Ok(chosen) = definitions.environment(global.environment.as_deref())
        && chosen.name() != first.name()
    {
        home = home.of_environment(chosen.name());
    }
    // A command that only reads does not create a home, and can read one that it may not write.
    let opened = match access {
        Access::Write => home.open_state().map(Some),
        Access::Project => Ok(None),
        Access::Read | Access::ReadPartitions => home.open_existing_state(),
    };
    let opened = opened.map_err(|error| {
        Failure::environment(error.to_string()).with_detail(&cause_lines(&error))
    })?;
    let store: Arc<dyn StateStore> = match opened {
        Some(store) => Arc::new(store),
        None => Arc::new(MemoryStore::new()),
    };
    Ok((Target::Local(home), store))
}

async fn connect_deployment(
    global: &Global,
    aws: Option<&dyn Platform>,
) -> Result<OpenTarget, Failure> {
    let aws = aws.ok_or_else(|| {
        Failure::environment("this binary was built without AWS, and acts on this machine only")
            .with_help(format!(
                "build it with the feature: `cargo run --features aws -- ..` (your crate has \
                 `aws = [\"precip/aws\"]` under `[features]`), or leave `--on aws` and {} out",
                crate::env::ON
            ))
    })?;
    let names = DeploymentNames::from_options(global)?;
    let connected = aws.connect(&names).await;
    let deployment = connected.map_err(|error| Failure::environment(error.message))?;
    let store = Arc::clone(&deployment.store);
    Ok((Target::Aws(Arc::new(deployment)), store))
}
