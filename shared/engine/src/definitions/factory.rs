//! [`Factory`]: how an environment makes a resource or an IO manager.

use std::{
    any::{TypeId, type_name},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
};

use crate::{
    asset::{AssetError, ResourceValue},
    settings::{SettingProblem, SettingReader, SettingSpec, Settings},
};

type Made<'a, P> = Pin<Box<dyn Future<Output = Result<P, AssetError>> + Send + 'a>>;
type Checked<'a> = Pin<Box<dyn Future<Output = Vec<SettingProblem>> + Send + 'a>>;

trait Make<P>: Send + Sync {
    fn check<'a>(&'a self, reader: &'a dyn SettingReader) -> Checked<'a>;
    fn make<'a>(&'a self, reader: &'a dyn SettingReader) -> Made<'a, P>;
}

/// How an environment makes a `P`: from settings, by a function that may wait.
pub struct Factory<P> {
    settings: Vec<SettingSpec>,
    made: TypeId,
    made_name: &'static str,
    make: Arc<dyn Make<P>>,
}

impl<P> Factory<P> {
    /// The settings that it reads.
    pub fn settings(&self) -> &[SettingSpec] {
        &self.settings
    }

    /// The type that it makes, for messages.
    pub fn type_name(&self) -> &'static str {
        self.made_name
    }

    /// The `TypeId` of `Arc<T>` for the `T` that it makes.
    pub(crate) fn made(&self) -> TypeId {
        self.made
    }

    /// Reads the settings and makes nothing.
    pub async fn check(&self, reader: &dyn SettingReader) -> Vec<SettingProblem> {
        self.make.check(reader).await
    }

    /// Makes one.
    ///
    /// # Errors
    /// Settings without a usable value, or what the function answered.
    pub async fn make(&self, reader: &dyn SettingReader) -> Result<P, AssetError> {
        self.make.make(reader).await
    }
}

impl<P: 'static> Factory<P> {
    /// Makes a `T` and turns it into a `P`.
    pub(crate) fn new<T, S, F, Fut>(settings: S, build: F, wrap: fn(T) -> P) -> Self
    where
        T: 'static,
        S: Settings,
        F: Fn(S::Values) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, AssetError>> + Send + 'static,
    {
        Self {
            settings: settings.specs(),
            made: TypeId::of::<Arc<T>>(),
            made_name: type_name::<T>(),
            make: Arc::new(Build {
                settings,
                build,
                wrap,
            }),
        }
    }
}

impl Factory<ResourceValue> {
    /// Gives a resource that is there already.
    pub(crate) fn ready<T: Send + Sync + 'static>(value: T) -> Self {
        Self {
            settings: Vec::new(),
            made: TypeId::of::<Arc<T>>(),
            made_name: type_name::<T>(),
            make: Arc::new(Ready(ResourceValue::new(value))),
        }
    }
}

impl<I: ?Sized + Send + Sync + 'static> Factory<Arc<I>> {
    /// Gives what is there already.
    pub(crate) fn shared(value: Arc<I>) -> Self {
        Self {
            settings: Vec::new(),
            made: TypeId::of::<Arc<I>>(),
            made_name: type_name::<I>(),
            make: Arc::new(Ready(value)),
        }
    }
}

impl<P> Clone for Factory<P> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            made: self.made,
            made_name: self.made_name,
            make: Arc::clone(&self.make),
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

struct Ready<P>(P);

impl<P: Clone + Send + Sync> Make<P> for Ready<P> {
    fn check<'a>(&'a self, _: &'a dyn SettingReader) -> Checked<'a> {
        Box::pin(async { Vec::new() })
    }

    fn make<'a>(&'a self, _: &'a dyn SettingReader) -> Made<'a, P> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

struct Build<T, P, S, F> {
    settings: S,
    build: F,
    wrap: fn(T) -> P,
}

impl<T, P, S, F, Fut> Make<P> for Build<T, P, S, F>
where
    T: 'static,
    P: 'static,
    S: Settings,
    F: Fn(S::Values) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, AssetError>> + Send,
{
    fn check<'a>(&'a self, reader: &'a dyn SettingReader) -> Checked<'a> {
        Box::pin(async { self.settings.read(reader).await.err().unwrap_or_default() })
    }

    fn make<'a>(&'a self, reader: &'a dyn SettingReader) -> Made<'a, P> {
        Box::pin(async {
            let values = self.settings.read(reader).await.map_err(|problems| {
                let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
                AssetError::terminal(reasons.join("; "))
            })?;
            (self.build)(values).await.map(self.wrap)
        })
    }
}
