//! [`AssetValue`]: data on its way between an asset's function and an IO manager.

use std::any::Any;

/// Data on its way between an asset's function and an IO manager.
///
/// The engine carries it without looking inside. What is inside is agreed between the conversions of
/// `precip-io` (`IntoAsset`, `FromAsset`) and the IO managers, so that the engine depends on no data
/// format.
pub struct AssetValue {
    inner: Box<dyn Any + Send>,
    type_name: &'static str,
}

impl AssetValue {
    /// Wraps a value.
    pub fn new<T: Any + Send>(value: T) -> Self {
        Self {
            inner: Box::new(value),
            type_name: std::any::type_name::<T>(),
        }
    }

    /// Takes the value out again.
    ///
    /// # Errors
    /// The value itself, when it is not a `T`.
    pub fn downcast<T: Any>(self) -> Result<T, Self> {
        let type_name = self.type_name;
        self.inner
            .downcast::<T>()
            .map(|value| *value)
            .map_err(|inner| Self { inner, type_name })
    }

    /// Looks at the value.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.inner.downcast_ref()
    }

    /// The type of what is inside, for a message.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl std::fmt::Debug for AssetValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AssetValue({})", self.type_name)
    }
}
