//! Opening an environment: creating the resources and IO managers of a run.

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

/// The resources and IO managers that ops need from an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentNeeds {
    /// The names of the resources.
    pub resources: BTreeSet<String>,
    /// The names of the IO managers.
    pub io_managers: BTreeSet<String>,
}

impl EnvironmentNeeds {
    /// Adds the needs of an op.
    pub fn add_op(&mut self, op: &OpDefinition) {
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

    /// Adds the needs of an op, and the IO managers of its inputs.
    pub fn add_op_with_inputs(&mut self, op: &OpDefinition, graph: &AssetGraph) {
        self.add_op(op);
        for asset in op.inputs.iter().filter_map(|input| graph.id(&input.asset)) {
            let named = graph.asset(asset).io_manager.as_deref();
            let name = named.unwrap_or(DEFAULT_IO_MANAGER);
            self.io_managers.insert(name.to_owned());
        }
    }
}

/// The open IO managers of an environment, by name.
#[derive(Clone, Default)]
pub struct IoManagers(BTreeMap<String, Arc<dyn IoManager>>);

impl IoManagers {
    /// Adds an IO manager.
    pub fn insert(&mut self, name: impl Into<String>, manager: Arc<dyn IoManager>) {
        self.0.insert(name.into(), manager);
    }

    /// Returns the IO manager of a name, or the default one for `None`.
    pub fn get(&self, name: Option<&str>) -> Option<&Arc<dyn IoManager>> {
        self.0.get(name.unwrap_or(DEFAULT_IO_MANAGER))
    }
}

impl fmt::Debug for IoManagers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An environment that is ready for a run.
#[derive(Debug, Clone, Default)]
pub struct OpenEnvironment {
    /// The requested resources.
    pub resources: Resources,
    /// The requested IO managers.
    pub io_managers: IoManagers,
}

impl Environment {
    /// Creates the requested resources and IO managers, and nothing else.
    ///
    /// `platform` is the IO manager of the platform (files on a laptop, a bucket on AWS). It serves as
    /// [`DEFAULT_IO_MANAGER`] if the project defines none.
    ///
    /// # Errors
    /// [`OpenError`], which lists everything that could not be created.
    pub async fn open(
        &self,
        wanted: &EnvironmentNeeds,
        reader: &dyn SettingReader,
        platform: Option<Arc<dyn IoManager>>,
    ) -> Result<OpenEnvironment, OpenError> {
        // All failures are collected, so that one attempt shows all of them.
        let mut open = OpenEnvironment::default();
        let mut failed = Vec::new();
        for name in &wanted.resources {
            let what = format!("resource `{name}`");
            match self.resources.get(name) {
                None => failed.push((what, missing_item(self.name()))),
                Some(factory) => match factory.create_value(reader).await {
                    Ok(value) => open.resources.insert(name.as_str(), value),
                    Err(error) => failed.push((what, error)),
                },
            }
        }
        for name in &wanted.io_managers {
            let what = format!("IO manager `{name}`");
            // The environment's own IO manager takes precedence over the platform's.
            let fallback = platform.as_ref().filter(|_| name == DEFAULT_IO_MANAGER);
            match (self.io_managers.get(name), fallback) {
                (None, None) => failed.push((what, missing_item(self.name()))),
                (None, Some(platform)) => open.io_managers.insert(name.as_str(), platform.clone()),
                (Some(factory), _) => match factory.create_value(reader).await {
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

fn missing_item(environment: &str) -> AssetError {
    AssetError::terminal(format!("environment `{environment}` does not define it"))
}

/// Resources and IO managers that an environment could not create.
#[derive(Debug)]
pub struct OpenError {
    /// The environment.
    pub environment: String,
    /// Each item that could not be created, with its error.
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
