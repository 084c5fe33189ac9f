//! Values of the option `partitions =`.

use std::{
    fmt::Display,
    ops::Deref,
    sync::{Arc, LazyLock},
};

use precip_core::partitions::{
    DynamicPartitions, MultiPartitions, PartitionsDefinition, StaticPartitions,
    TimeWindowPartitions,
};

/// A partitions definition that several assets share: `static DAILY: LazyPartitions =
/// partitions!(daily(start = "2013-01-01"));`
pub type LazyPartitions = LazyLock<Arc<PartitionsDefinition>>;

/// A value of `partitions =`: a [`LazyPartitions`], any of the core's definitions, an `Arc` or a
/// `LazyLock` of one, or the `Result` of creating one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a partitions definition",
    label = "not a partitions definition",
    note = "write `static DAILY: LazyPartitions = partitions!(daily(start = \"2024-01-01\"));` and \
            `partitions = DAILY`"
)]
pub trait IntoPartitions {
    /// Returns the definition.
    ///
    /// # Errors
    /// A message when the definition is invalid.
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String>;
}

impl IntoPartitions for PartitionsDefinition {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        Ok(Arc::new(self.clone()))
    }
}

impl IntoPartitions for Arc<PartitionsDefinition> {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        Ok(Self::clone(self))
    }
}

impl<P: IntoPartitions, F: FnOnce() -> P> IntoPartitions for LazyLock<P, F> {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        self.deref().to_partitions()
    }
}

impl<P: IntoPartitions, E: Display> IntoPartitions for Result<P, E> {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        match self {
            Ok(definition) => definition.to_partitions(),
            Err(error) => Err(format!("its partitions are invalid: {error}")),
        }
    }
}

impl<P: IntoPartitions + ?Sized> IntoPartitions for &P {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        (**self).to_partitions()
    }
}

macro_rules! impl_into_partitions {
    ($($kind:ty),*) => {$(
        impl IntoPartitions for $kind {
            fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
                Ok(Arc::new(self.clone().into()))
            }
        }
    )*};
}

impl_into_partitions!(
    TimeWindowPartitions,
    StaticPartitions,
    MultiPartitions,
    DynamicPartitions
);

/// Unwraps a definition that `partitions!` validated at compile time.
///
/// # Panics
/// If the definition is valid for the macro but not here, which is a defect of Precip.
pub fn validated<P: Into<PartitionsDefinition>, E: Display>(
    result: Result<P, E>,
) -> PartitionsDefinition {
    match result {
        Ok(definition) => definition.into(),
        Err(error) => panic!("partitions: {error}"),
    }
}

/// Returns a dimension that is declared elsewhere.
///
/// # Panics
/// If the definition is invalid.
pub fn shared_partitions<P: IntoPartitions>(definition: &P) -> PartitionsDefinition {
    match definition.to_partitions() {
        Ok(definition) => (*definition).clone(),
        Err(error) => panic!("partitions: {error}"),
    }
}
