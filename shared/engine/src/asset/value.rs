//! [`AssetValue`]: data on its way between an asset's function and an IO manager.

use std::any::Any;

/// Data on its way between an asset's function and an IO manager.
///
/// The engine carries it without looking inside. What is inside is agreed between the conversions of
/// `precip-io` (`IntoAsset`, `FromAsset`) and the IO managers, so that the engine depends on no data
/// format.
pub struct AssetValue(Box<dyn Any + Send>);

impl AssetValue {
    /// Wraps a value.
    pub fn new<T: Any + Send>(value: T) -> Self {
        Self(Box::new(value))
    }

    /// Takes the value out again.
    ///
    /// # Errors
    /// The value itself, when it is not a `T`.
    pub fn downcast<T: Any>(self) -> Result<T, Self> {
        self.0.downcast::<T>().map(|value| *value).map_err(Self)
    }

    /// Looks at the value.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl std::fmt::Debug for AssetValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AssetValue(..)")
    }
}
