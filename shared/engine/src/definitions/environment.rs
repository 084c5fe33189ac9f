//! [`Environment`]: what a project uses in one place where it runs.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use crate::{
    asset::{AssetError, ResourceValue},
    definitions::Factory,
    io::IoManager,
    settings::{SettingProblem, SettingReader, SettingSpec, Settings},
};

/// The name of the IO manager of assets that name none.
pub const DEFAULT_IO_MANAGER: &str = "default";

/// What a project uses in one place where it runs, such as `local` or `prod`: its resources and its
/// IO managers, each ready or made from settings.
///
/// ```
/// use precip_engine::{
///     definitions::Environment,
///     settings::{env, secret},
/// };
///
/// struct Warehouse(String);
///
/// let local = Environment::new("local").resource("warehouse", Warehouse("in-memory".into()));
/// let prod = Environment::new("prod").resource_from(
///     "warehouse",
///     (env("WAREHOUSE_HOST"), secret("warehouse/password")),
///     |(host, password)| async move { Ok(Warehouse(format!("{host} {}", password.expose()))) },
/// );
/// assert_eq!(prod.settings().count(), 2);
/// # let _ = local;
/// ```
#[derive(Debug, Clone)]
pub struct Environment {
    pub(super) name: String,
    pub(super) resources: BTreeMap<String, Factory<ResourceValue>>,
    pub(super) io_managers: BTreeMap<String, Factory<Arc<dyn IoManager>>>,
    /// Names that were given twice.
    pub(super) repeated: Vec<String>,
}

/// A setting and what reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingUse {
    /// What reads it, such as ``resource `warehouse` ``.
    pub by: String,
    /// The setting.
    pub setting: SettingSpec,
}

impl Environment {
    /// An environment that uses nothing yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            resources: BTreeMap::new(),
            io_managers: BTreeMap::new(),
            repeated: Vec::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives a resource that is there already. Functions take it as `#[resource] name: &T` or
    /// `Arc<T>`; one given as an `Arc<dyn Trait>` is taken as `&dyn Trait` or `Arc<dyn Trait>`.
    #[must_use]
    pub fn resource<T: Send + Sync + 'static>(self, name: impl Into<String>, value: T) -> Self {
        self.with_resource(name.into(), Factory::ready(value))
    }

    /// Makes a resource from settings when a run starts that uses it.
    #[must_use]
    pub fn resource_from<T, S, F, Fut>(self, name: impl Into<String>, settings: S, make: F) -> Self
    where
        T: Send + Sync + 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, AssetError>> + Send + 'static,
    {
        self.with_resource(
            name.into(),
            Factory::new(settings, make, ResourceValue::new),
        )
    }

    /// Gives an IO manager that is there already. The one named [`DEFAULT_IO_MANAGER`] stores the
    /// assets that name none.
    #[must_use]
    pub fn io_manager(self, name: impl Into<String>, manager: impl IoManager + 'static) -> Self {
        self.with_io_manager(name.into(), Factory::shared(Arc::new(manager)))
    }

    /// Makes an IO manager from settings when a run starts that uses it.
    #[must_use]
    pub fn io_manager_from<M, S, F, Fut>(
        self,
        name: impl Into<String>,
        settings: S,
        make: F,
    ) -> Self
    where
        M: IoManager + 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<M, AssetError>> + Send + 'static,
    {
        let wrap = |manager: M| -> Arc<dyn IoManager> { Arc::new(manager) };
        self.with_io_manager(name.into(), Factory::new(settings, make, wrap))
    }

    fn with_resource(mut self, name: String, factory: Factory<ResourceValue>) -> Self {
        if self.resources.insert(name.clone(), factory).is_some() {
            self.repeated.push(format!("resource `{name}`"));
        }
        self
    }

    fn with_io_manager(mut self, name: String, factory: Factory<Arc<dyn IoManager>>) -> Self {
        if self.io_managers.insert(name.clone(), factory).is_some() {
            self.repeated.push(format!("IO manager `{name}`"));
        }
        self
    }

    /// Fills what it lacks with what another has.
    pub(super) fn or(mut self, base: &Self) -> Self {
        for (name, factory) in &base.resources {
            self.resources
                .entry(name.clone())
                .or_insert_with(|| factory.clone());
        }
        for (name, factory) in &base.io_managers {
            self.io_managers
                .entry(name.clone())
                .or_insert_with(|| factory.clone());
        }
        self
    }

    /// The names of its resources.
    pub fn resource_names(&self) -> impl Iterator<Item = &str> {
        self.resources.keys().map(String::as_str)
    }

    /// The names of its IO managers.
    pub fn io_manager_names(&self) -> impl Iterator<Item = &str> {
        self.io_managers.keys().map(String::as_str)
    }

    /// Every setting it reads, by what reads it.
    pub fn settings(&self) -> impl Iterator<Item = SettingUse> {
        let resources = self
            .resources
            .iter()
            .map(|(name, factory)| (format!("resource `{name}`"), factory.settings()));
        let io_managers = self
            .io_managers
            .iter()
            .map(|(name, factory)| (format!("IO manager `{name}`"), factory.settings()));
        resources.chain(io_managers).flat_map(|(by, settings)| {
            settings.iter().cloned().map(move |setting| SettingUse {
                by: by.clone(),
                setting,
            })
        })
    }

    /// Reads every setting and makes nothing: what a project's `doctor` command does. Answers what
    /// is wrong, with what reads it.
    pub async fn check_settings(
        &self,
        reader: &dyn SettingReader,
    ) -> Vec<(String, SettingProblem)> {
        let mut problems = Vec::new();
        for (name, factory) in &self.resources {
            let found = factory.check(reader).await;
            problems.extend(found.into_iter().map(|p| (format!("resource `{name}`"), p)));
        }
        for (name, factory) in &self.io_managers {
            let found = factory.check(reader).await;
            problems.extend(
                found
                    .into_iter()
                    .map(|p| (format!("IO manager `{name}`"), p)),
            );
        }
        problems
    }
}
