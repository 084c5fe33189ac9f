//! Opening an environment: making what a run uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use precip_core::graph::AssetGraph;

use crate::{
    asset::{AssetError, Resources},
    definitions::{Environment, OpDefinition, environment::DEFAULT_IO_MANAGER},
    io::IoManager,
    settings::SettingReader,
};

/// What some ops use of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Names of resources.
    pub resources: BTreeSet<String>,
    /// Names of IO managers.
    pub io_managers: BTreeSet<String>,
}

impl Wanted {
    /// Adds what an op uses.
    pub fn add(&mut self, op: &OpDefinition) {
        self.resources
            .extend(op.resources.iter().map(|need| need.name.clone()));
        let named = op
            .spec
            .assets
            .iter()
            .map(|asset| asset.io_manager.as_deref());
        self.io_managers
            .extend(named.map(|name| name.unwrap_or(DEFAULT_IO_MANAGER).to_owned()));
    }

    /// Adds what an op uses, and the IO managers of what it takes.
    pub fn add_with_inputs(&mut self, op: &OpDefinition, graph: &AssetGraph) {
        self.add(op);
        for asset in op.inputs.iter().filter_map(|input| graph.id(&input.asset)) {
            let manager = graph.asset(asset).io_manager.as_deref();
            let manager = manager.unwrap_or(DEFAULT_IO_MANAGER);
            self.io_managers.insert(manager.to_owned());
        }
    }
}

/// The IO managers of an environment that are open, by name.
#[derive(Clone, Default)]
pub struct IoManagers(BTreeMap<String, Arc<dyn IoManager>>);

impl IoManagers {
    /// Adds one.
    pub fn insert(&mut self, name: impl Into<String>, manager: Arc<dyn IoManager>) {
        self.0.insert(name.into(), manager);
    }

    /// The one of this name; the default one for `None`.
    pub fn get(&self, name: Option<&str>) -> Option<&Arc<dyn IoManager>> {
        self.0.get(name.unwrap_or(DEFAULT_IO_MANAGER))
    }
}

impl fmt::Debug for IoManagers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An environment, ready for a run.
#[derive(Debug, Clone, Default)]
pub struct OpenEnvironment {
    /// The resources that were wanted.
    pub resources: Resources,
    /// The IO managers that were wanted.
    pub io_managers: IoManagers,
}

impl Environment {
    /// Makes what is wanted, and nothing else.
    ///
    /// `platform` is the IO manager of the place it runs in (files on a laptop, a bucket on AWS): it
    /// stands for [`DEFAULT_IO_MANAGER`] where the project gives none.
    ///
    /// # Errors
    /// [`OpenError`]: everything that could not be made.
    pub async fn open(
        &self,
        wanted: &Wanted,
        reader: &dyn SettingReader,
        platform: Option<Arc<dyn IoManager>>,
    ) -> Result<OpenEnvironment, OpenError> {
        let mut open = OpenEnvironment::default();
        let mut failed = Vec::new();
        for name in &wanted.resources {
            let what = format!("resource `{name}`");
            match self.resources.get(name) {
                None => failed.push((what, missing(self.name()))),
                Some(factory) => match factory.make(reader).await {
                    Ok(value) => open.resources.insert(name.as_str(), value),
                    Err(error) => failed.push((what, error)),
                },
            }
        }
        for name in &wanted.io_managers {
            let what = format!("IO manager `{name}`");
            let fallback = platform.as_ref().filter(|_| name == DEFAULT_IO_MANAGER);
            match (self.io_managers.get(name), fallback) {
                (None, None) => failed.push((what, missing(self.name()))),
                (None, Some(platform)) => open.io_managers.insert(name.as_str(), platform.clone()),
                (Some(factory), _) => match factory.make(reader).await {
                    Ok(manager) => open.io_managers.insert(name.as_str(), manager),
                    Err(error) => failed.push((what, error)),
                },
            }
        }
        if failed.is_empty() {
            Ok(open)
        } else {
            Err(OpenError {
                environment: self.name().to_owned(),
                failed,
            })
        }
    }
}

fn missing(environment: &str) -> AssetError {
    AssetError::terminal(format!("environment `{environment}` has none of this name"))
}

/// What an environment could not make.
#[derive(Debug)]
pub struct OpenError {
    /// The environment.
    pub environment: String,
    /// What could not be made, and why.
    pub failed: Vec<(String, AssetError)>,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment `{}` cannot be used:", self.environment)?;
        self.failed
            .iter()
            .try_for_each(|(what, error)| write!(f, "\n- {what}: {error}"))
    }
}

impl std::error::Error for OpenError {}
