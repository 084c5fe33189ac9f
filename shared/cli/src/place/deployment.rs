//! [`Place`] and [`Deployment`].

use std::sync::Arc;

use precip_engine::{
    definitions::Definitions,
    deployment::{Examine, Executions},
    io::IoManager,
    machine::{Planner, RunFiles},
    run::{SystemClock, SystemRandomness},
    settings::{ProcessEnvironment, SettingReader},
    state::StateStore,
};
use precip_local::home::Home;

use crate::{env, exit::Exit, failure::Failure};

/// Where a command acts: where the record and the data are, and what carries runs out.
#[derive(Debug, Clone)]
pub enum Place {
    /// This machine, with what is in a folder of it.
    Local(Home),
    /// A deployment on AWS.
    Aws(Arc<Deployment>),
}

impl Place {
    /// The folder of this machine.
    ///
    /// # Errors
    /// [`Failure`] when the command acts elsewhere.
    pub fn home(&self) -> Result<&Home, Failure> {
        match self {
            Self::Local(home) => Ok(home),
            Self::Aws(_) => Err(Failure::usage("this is for runs on this machine")
                .help("leave `--on aws` out, or unset PRECIP_ON")),
        }
    }

    /// Where settings and secrets are kept.
    pub fn settings(&self) -> Arc<dyn SettingReader> {
        match self {
            Self::Local(_) => Arc::new(ProcessEnvironment),
            Self::Aws(deployment) => Arc::clone(&deployment.settings),
        }
    }

    /// What has to stand behind a command that is written for the person to type, for it to act here.
    pub fn suffix(&self) -> &'static str {
        let said = std::env::var(env::ON).is_ok_and(|on| on.eq_ignore_ascii_case("aws"));
        match self {
            Self::Aws(_) if !said => " --on aws",
            Self::Local(_) | Self::Aws(_) => "",
        }
    }
}

/// A deployed project: the adapters of whatever cloud it is on.
#[derive(Clone)]
pub struct Deployment {
    /// The record.
    pub store: Arc<dyn StateStore>,
    /// The executions that carry runs out.
    pub executions: Arc<dyn Executions>,
    /// The files of runs.
    pub files: Arc<dyn RunFiles>,
    /// The IO manager of assets that name none.
    pub data: Arc<dyn IoManager>,
    /// Where settings and secrets are kept.
    pub settings: Arc<dyn SettingReader>,
    /// What looks for what is wrong with it.
    pub examine: Arc<dyn Examine>,
}

impl Deployment {
    /// The planner of the deployment: what ends, cancels and retries its runs. What it decides here
    /// is what it would decide there.
    ///
    /// # Errors
    /// [`Failure`] when the project's ops wait for each other.
    pub fn planner(&self, definitions: &Arc<Definitions>) -> Result<Planner, Failure> {
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
