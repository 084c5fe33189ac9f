//! [`Environment`]: the resources and IO managers of one place where a project runs.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use crate::{
    asset::{AssetError, ResourceValue},
    definitions::Factory,
    io::IoManager,
    settings::{SettingError, SettingReader, SettingSpec, Settings},
};

/// The name of the IO manager of assets that specify none.
pub const DEFAULT_IO_MANAGER: &str = "default";

/// The resources and IO managers of one place where a project runs, such as `local` or `prod`. Each
/// is given as a value or created from settings.
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
    /// Names that were defined twice.
    pub(super) repeated: Vec<String>,
}

/// A setting and the item that reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingUse {
    /// The item that reads it, such as ``resource `warehouse` ``.
    pub by: String,
    /// The setting.
    pub setting: SettingSpec,
}

impl Environment {
    /// Creates an empty environment.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            resources: BTreeMap::new(),
            io_managers: BTreeMap::new(),
            repeated: Vec::new(),
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a resource by value. Functions take it as `#[resource] name: &T` or `Arc<T>`. A
    /// resource given as an `Arc<dyn Trait>` is taken as `&dyn Trait` or `Arc<dyn Trait>`.
    #[must_use]
    pub fn resource<T: Send + Sync + 'static>(self, name: impl Into<String>, value: T) -> Self {
        self.with_resource(name.into(), Factory::from_value(value))
    }

    /// Adds a resource that is created from settings when a run that uses it starts.
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

    /// Adds an IO manager by value. The one named [`DEFAULT_IO_MANAGER`] stores the assets that
    /// specify none.
    #[must_use]
    pub fn io_manager(self, name: impl Into<String>, manager: impl IoManager + 'static) -> Self {
        self.with_io_manager(name.into(), Factory::from_shared(Arc::new(manager)))
    }

    /// Adds an IO manager that is created from settings when a run that uses it starts.
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

    /// Adds the resources and IO managers of `base` that it does not define itself.
    pub(super) fn with_defaults_from(mut self, base: &Self) -> Self {
        // Own entries win, so that an environment can override the project's defaults.
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

    /// Returns the names of the resources.
    pub fn resource_names(&self) -> impl Iterator<Item = &str> {
        self.resources.keys().map(String::as_str)
    }

    /// Returns the names of the IO managers.
    pub fn io_manager_names(&self) -> impl Iterator<Item = &str> {
        self.io_managers.keys().map(String::as_str)
    }

    /// Returns every setting that it reads, with the item that reads it.
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

    /// Reads every setting and creates nothing, as a project's `doctor` command does. Returns the
    /// invalid settings, each with the item that reads it.
    pub async fn check_settings(&self, reader: &dyn SettingReader) -> Vec<(String, SettingError)> {
        let mut problems = Vec::new();
        for (name, factory) in &self.resources {
            let found = factory.check_settings(reader).await;
            problems.extend(found.into_iter().map(|p| (format!("resource `{name}`"), p)));
        }
        for (name, factory) in &self.io_managers {
            let found = factory.check_settings(reader).await;
            problems.extend(
                found
                    .into_iter()
                    .map(|p| (format!("IO manager `{name}`"), p)),
            );
        }
        problems
    }
}
