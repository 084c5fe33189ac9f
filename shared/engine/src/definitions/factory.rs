//! [`Factory`]: creation of a resource or an IO manager.

use std::{
    any::{TypeId, type_name},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
};

use crate::{
    asset::{AssetError, ResourceValue},
    settings::{SettingError, SettingReader, SettingSpec, Settings},
};

type CreateFuture<'a, P> = Pin<Box<dyn Future<Output = Result<P, AssetError>> + Send + 'a>>;
type CheckFuture<'a> = Pin<Box<dyn Future<Output = Vec<SettingError>> + Send + 'a>>;

trait Maker<P>: Send + Sync {
    fn check_settings<'a>(&'a self, reader: &'a dyn SettingReader) -> CheckFuture<'a>;
    fn create_value<'a>(&'a self, reader: &'a dyn SettingReader) -> CreateFuture<'a, P>;
}

/// A factory of a `P`, which is created from settings by an async function, or cloned from a value.
pub struct Factory<P> {
    settings: Vec<SettingSpec>,
    made_type: TypeId,
    made_name: &'static str,
    maker: Arc<dyn Maker<P>>,
}

impl<P> Factory<P> {
    /// Returns the settings that it reads.
    pub fn settings(&self) -> &[SettingSpec] {
        &self.settings
    }

    /// Returns the name of the created type, for messages.
    pub fn type_name(&self) -> &'static str {
        self.made_name
    }

    /// Returns the `TypeId` of `Arc<T>` for the created `T`.
    pub(crate) fn made_type(&self) -> TypeId {
        self.made_type
    }

    /// Reads the settings, without creating a value. Returns the invalid ones.
    pub async fn check_settings(&self, reader: &dyn SettingReader) -> Vec<SettingError> {
        self.maker.check_settings(reader).await
    }

    /// Creates a value.
    ///
    /// # Errors
    /// Settings without a usable value, or the function's error.
    pub async fn create_value(&self, reader: &dyn SettingReader) -> Result<P, AssetError> {
        self.maker.create_value(reader).await
    }
}

impl<P: 'static> Factory<P> {
    /// Creates a factory that builds a `T` from settings and converts it into a `P`.
    pub(crate) fn new<T, S, F, Fut>(settings: S, build: F, wrap: fn(T) -> P) -> Self
    where
        T: 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, AssetError>> + Send + 'static,
    {
        Self {
            settings: settings.setting_specs(),
            made_type: TypeId::of::<Arc<T>>(),
            made_name: type_name::<T>(),
            maker: Arc::new(FromSettings {
                settings,
                build,
                wrap,
            }),
        }
    }
}

impl Factory<ResourceValue> {
    /// Creates a factory that returns a given resource.
    pub(crate) fn from_value<T: Send + Sync + 'static>(value: T) -> Self {
        Self {
            settings: Vec::new(),
            made_type: TypeId::of::<Arc<T>>(),
            made_name: type_name::<T>(),
            maker: Arc::new(Given(ResourceValue::new(value))),
        }
    }
}

impl<I: ?Sized + Send + Sync + 'static> Factory<Arc<I>> {
    /// Creates a factory that returns a shared value.
    pub(crate) fn from_shared(value: Arc<I>) -> Self {
        Self {
            settings: Vec::new(),
            made_type: TypeId::of::<Arc<I>>(),
            made_name: type_name::<I>(),
            maker: Arc::new(Given(value)),
        }
    }
}

impl<P> Clone for Factory<P> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            made_type: self.made_type,
            made_name: self.made_name,
            maker: Arc::clone(&self.maker),
        }
    }
}

impl<P> fmt::Debug for Factory<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory")
            .field("makes", &self.made_name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

struct Given<P>(P);

impl<P: Clone + Send + Sync> Maker<P> for Given<P> {
    fn check_settings<'a>(&'a self, _: &'a dyn SettingReader) -> CheckFuture<'a> {
        Box::pin(async { Vec::new() })
    }

    fn create_value<'a>(&'a self, _: &'a dyn SettingReader) -> CreateFuture<'a, P> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

struct FromSettings<T, P, S, F> {
    settings: S,
    build: F,
    wrap: fn(T) -> P,
}

impl<T, P, S, F, Fut> Maker<P> for FromSettings<T, P, S, F>
where
    T: 'static,
    P: 'static,
    S: Settings,
    F: Fn(S::Values) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, AssetError>> + Send,
{
    fn check_settings<'a>(&'a self, reader: &'a dyn SettingReader) -> CheckFuture<'a> {
        Box::pin(async {
            self.settings
                .read_values(reader)
                .await
                .err()
                .unwrap_or_default()
        })
    }

    fn create_value<'a>(&'a self, reader: &'a dyn SettingReader) -> CreateFuture<'a, P> {
        Box::pin(async {
            let values = self
                .settings
                .read_values(reader)
                .await
                .map_err(|problems| {
                    let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    AssetError::terminal(reasons.join("; "))
                })?;
            (self.build)(values).await.map(self.wrap)
        })
    }
}
