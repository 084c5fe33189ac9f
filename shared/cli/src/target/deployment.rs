//! [`Target`] and [`Deployment`].

use std::sync::Arc;

use precip_engine::{
    definitions::Definitions,
    deployment::{DeploymentExaminer, Executions},
    io::IoManager,
    machine::{Planner, RunFiles},
    run::{SystemClock, SystemRandomness},
    settings::{ProcessEnvironment, SettingReader},
    state::StateStore,
};
use precip_local::home::Home;

use crate::{env, exit::Exit, failure::Failure};

/// The target of a command: where the record and the data are, and where runs execute.
#[derive(Debug, Clone)]
pub enum Target {
    /// This machine, with a home folder.
    Local(Home),
    /// A deployment on AWS.
    Aws(Arc<Deployment>),
}

impl Target {
    /// Returns the home folder on this machine.
    ///
    /// # Errors
    /// [`Failure`] when the target is a deployment.
    pub(crate) fn local_home(&self) -> Result<&Home, Failure> {
        match self {
            Self::Local(home) => Ok(home),
            Self::Aws(_) => Err(Failure::usage("this command acts on this machine only")
                .with_help("leave `--on aws` out, or unset PRECIP_ON")),
        }
    }

    /// Returns the reader of settings and secrets.
    pub(crate) fn setting_reader(&self) -> Arc<dyn SettingReader> {
        match self {
            Self::Local(_) => Arc::new(ProcessEnvironment),
            Self::Aws(deployment) => Arc::clone(&deployment.settings),
        }
    }

    /// Returns the option to append to a suggested command, so that it acts on this target.
    pub(crate) fn option_suffix(&self) -> &'static str {
        let is_default = std::env::var(env::ON).is_ok_and(|on| on.eq_ignore_ascii_case("aws"));
        match self {
            Self::Aws(_) if !is_default => " --on aws",
            Self::Local(_) | Self::Aws(_) => "",
        }
    }
}

/// A deployed project: adapters to the cloud it runs in.
#[derive(Clone)]
pub struct Deployment {
    /// The record.
    pub store: Arc<dyn StateStore>,
    /// The executions of runs.
    pub executions: Arc<dyn Executions>,
    /// The files of runs.
    pub files: Arc<dyn RunFiles>,
    /// The IO manager of assets that name none.
    pub data: Arc<dyn IoManager>,
    /// The reader of settings and secrets.
    pub settings: Arc<dyn SettingReader>,
    /// The examination of its parts, for `doctor`.
    pub examine: Arc<dyn DeploymentExaminer>,
}

impl Deployment {
    /// Creates the planner, which ends, cancels and retries runs. It decides what the deployed planner
    /// would decide.
    ///
    /// # Errors
    /// [`Failure`] when the project's ops wait for each other.
    pub(crate) fn new_planner(&self, definitions: &Arc<Definitions>) -> Result<Planner, Failure> {
        Planner::new(
            Arc::clone(definitions),
            Arc::clone(&self.store),
            Arc::clone(&self.files),
            Arc::new(SystemClock),
            Arc::new(SystemRandomness),
        )
        .map_err(|error| Failure::new(Exit::Definitions, error.to_string()))
    }
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment")
            .field("store", &self.store)
            .field("executions", &self.executions)
            .finish_non_exhaustive()
    }
}
