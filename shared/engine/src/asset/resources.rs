//! Resources: what ops use and environments provide, found by name and checked by type.

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

use crate::asset::AssetError;

/// One resource, whatever its type: a connection pool, a client, a setting.
#[derive(Clone)]
pub struct ResourceValue {
    /// An `Arc<T>`, as `dyn Any`.
    shared: Arc<dyn Any + Send + Sync>,
    type_name: &'static str,
}

impl ResourceValue {
    /// Wraps a resource.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self {
            shared: Arc::new(Arc::new(value)),
            type_name: type_name::<T>(),
        }
    }

    /// The resource as a `T`: as it was given, or inside the `Arc<T>` that was given. The second way
    /// is how an `Arc<dyn Trait>` is found.
    pub fn get<T: ?Sized + 'static>(&self) -> Option<&Arc<T>> {
        self.shared.downcast_ref::<Arc<T>>().or_else(|| {
            self.shared
                .downcast_ref::<Arc<Arc<T>>>()
                .map(|outer| &**outer)
        })
    }

    /// The type that was given, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl fmt::Debug for ResourceValue {
    /// Names the type only: a resource may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceValue({})", self.type_name)
    }
}

/// The resources that one invocation may use, by name.
///
/// ```
/// use precip_engine::asset::Resources;
///
/// let resources = Resources::new().with("greeting", String::from("hello"));
/// assert_eq!(resources.get::<String>("greeting").unwrap().as_str(), "hello");
/// assert_eq!(
///     resources.get::<u32>("greeting").unwrap_err().to_string(),
///     "resource `greeting` is a `alloc::string::String`, and a `u32` is asked for",
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Resources(BTreeMap<String, ResourceValue>);

impl Resources {
    /// No resources.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more; one of the same name is replaced.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, name: impl Into<String>, value: T) -> Self {
        self.insert(name, ResourceValue::new(value));
        self
    }

    /// Adds one; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: ResourceValue) {
        self.0.insert(name.into(), value);
    }

    /// The resource of this name, as a `T`.
    ///
    /// # Errors
    /// [`ErrorKind::Terminal`](crate::asset::ErrorKind) when there is none, or it is of another type.
    pub fn get<T: ?Sized + 'static>(&self, name: &str) -> Result<&Arc<T>, AssetError> {
        let value = self.0.get(name).ok_or_else(|| {
            AssetError::terminal(format!(
                "there is no resource `{name}`: give it with `.resource(\"{name}\", ..)`"
            ))
        })?;
        value.get().ok_or_else(|| {
            AssetError::terminal(format!(
                "resource `{name}` is a `{}`, and a `{}` is asked for",
                value.type_name,
                type_name::<T>()
            ))
        })
    }

    /// The names that there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A resource that an op's function takes: `Definitions` checks that every environment provides it,
/// and with the right type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceNeed {
    /// The parameter's name, which is the resource's.
    pub name: String,
    /// The type, for messages.
    pub type_name: &'static str,
    /// What a provider may hold: the type itself, or an `Arc` of it.
    accepts: [TypeId; 2],
}

impl ResourceNeed {
    /// A resource of a type.
    pub fn of<T: ?Sized + 'static>(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            type_name: type_name::<T>(),
            accepts: [TypeId::of::<Arc<T>>(), TypeId::of::<Arc<Arc<T>>>()],
        }
    }

    /// Whether a provider of `ResourceValue::new::<T>` values serves, for the `TypeId` of `Arc<T>`.
    pub(crate) fn accepts(&self, shared: TypeId) -> bool {
        self.accepts.contains(&shared)
    }
}
