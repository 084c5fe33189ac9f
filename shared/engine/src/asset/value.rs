//! [`AssetValue`]: data passed between an asset's function and an IO manager.

use std::any::Any;

/// Data passed between an asset's function and an IO manager.
///
/// The engine passes it on unopened, so it depends on no data format. The conversions of
/// `precip-io` (`IntoAsset`, `FromAsset`) and the IO managers agree on the types inside.
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

    /// Unwraps the value.
    ///
    /// # Errors
    /// The value itself, when it is not a `T`.
    pub fn downcast<T: Any>(self) -> Result<T, Self> {
        // Kept apart, because `downcast` consumes the box even when it fails.
        let type_name = self.type_name;
        self.inner
            .downcast::<T>()
            .map(|value| *value)
            .map_err(|inner| Self { inner, type_name })
    }

    /// Borrows the value, if it is a `T`.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.inner.downcast_ref()
    }

    /// Returns the name of the wrapped type, for messages.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}

impl std::fmt::Debug for AssetValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AssetValue({})", self.type_name)
    }
}
