//! Resources, which environments provide and ops use: found by name, checked by type.

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

use crate::asset::AssetError;

/// A resource of any type, such as a connection pool, a client or a setting.
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

    /// Returns the resource as a `T`: the given value, or the contents of the given `Arc<T>`. The
    /// latter finds an `Arc<dyn Trait>`.
    pub fn get<T: ?Sized + 'static>(&self) -> Option<&Arc<T>> {
        self.shared.downcast_ref::<Arc<T>>().or_else(|| {
            self.shared
                .downcast_ref::<Arc<Arc<T>>>()
                .map(|outer| &**outer)
        })
    }

    /// Returns the name of the given type, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl fmt::Debug for ResourceValue {
    /// Writes the type only, since a resource may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceValue({})", self.type_name)
    }
}

/// The resources of one invocation, by name.
///
/// ```
/// use precip_engine::asset::Resources;
///
/// let resources = Resources::new().with("greeting", String::from("hello"));
/// assert_eq!(resources.get::<String>("greeting").unwrap().as_str(), "hello");
/// assert_eq!(
///     resources.get::<u32>("greeting").unwrap_err().to_string(),
///     "resource `greeting` is a `alloc::string::String`, but a `u32` is requested",
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Resources(BTreeMap<String, ResourceValue>);

impl Resources {
    /// Creates an empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resource, replacing one of the same name.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, name: impl Into<String>, value: T) -> Self {
        self.insert(name, ResourceValue::new(value));
        self
    }

    /// Adds a resource, replacing one of the same name.
    pub fn insert(&mut self, name: impl Into<String>, value: ResourceValue) {
        self.0.insert(name.into(), value);
    }

    /// Returns the resource of a name, as a `T`.
    ///
    /// # Errors
    /// [`ErrorKind::Terminal`](crate::asset::ErrorKind) when the resource does not exist or has
    /// another type.
    pub fn get<T: ?Sized + 'static>(&self, name: &str) -> Result<&Arc<T>, AssetError> {
        let value = self.0.get(name).ok_or_else(|| {
            AssetError::terminal(format!(
                "there is no resource `{name}`: give it with `.resource(\"{name}\", ..)`"
            ))
        })?;
        value.get().ok_or_else(|| {
            AssetError::terminal(format!(
                "resource `{name}` is a `{}`, but a `{}` is requested",
                value.type_name,
                type_name::<T>()
            ))
        })
    }

    /// Returns the names of the resources.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A resource that an op's function takes. `Definitions` checks that every environment provides it
/// with the right type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceNeed {
    /// The parameter's name, which is the resource's.
    pub name: String,
    /// The type, for messages.
    pub type_name: &'static str,
    /// The types that a provider may hold: the type itself, or an `Arc` of it.
    accepts: [TypeId; 2],
}

impl ResourceNeed {
    /// Declares the need of a resource of a type.
    pub fn for_type<T: ?Sized + 'static>(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            type_name: type_name::<T>(),
            accepts: [TypeId::of::<Arc<T>>(), TypeId::of::<Arc<Arc<T>>>()],
        }
    }

    /// Returns `true` if a provider of `T` satisfies the need. `shared` is the `TypeId` of
    /// `Arc<T>`.
    pub(crate) fn accepts_type(&self, shared: TypeId) -> bool {
        self.accepts.contains(&shared)
    }
}
