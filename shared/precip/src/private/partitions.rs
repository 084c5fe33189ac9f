//! Partitions definitions as they are written after `partitions =`.

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

/// What may follow `partitions =`: a [`LazyPartitions`], any of the core's definitions, an `Arc` or a
/// `LazyLock` of one, or the `Result` of making one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a partitions definition",
    label = "not a partitions definition",
    note = "write `static DAILY: LazyPartitions = partitions!(daily(start = \"2024-01-01\"));` and \
            `partitions = DAILY`"
)]
pub trait IntoPartitions {
    /// The definition.
    ///
    /// # Errors
    /// Why it could not be made.
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
            Err(error) => Err(format!("its partitions cannot be made: {error}")),
        }
    }
}

impl<P: IntoPartitions + ?Sized> IntoPartitions for &P {
    fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
        (**self).to_partitions()
    }
}

macro_rules! kinds {
    ($($kind:ty),*) => {$(
        impl IntoPartitions for $kind {
            fn to_partitions(&self) -> Result<Arc<PartitionsDefinition>, String> {
                Ok(Arc::new(self.clone().into()))
            }
        }
    )*};
}

kinds!(
    TimeWindowPartitions,
    StaticPartitions,
    MultiPartitions,
    DynamicPartitions
);

/// A definition that `partitions!` checked when it was compiled.
///
/// # Panics
/// If the definition was right for the macro and is wrong here, which would be a defect of Precip.
pub fn checked<P: Into<PartitionsDefinition>, E: Display>(
    made: Result<P, E>,
) -> PartitionsDefinition {
    match made {
        Ok(definition) => definition.into(),
        Err(error) => panic!("partitions: {error}"),
    }
}

/// A dimension that is declared elsewhere.
///
/// # Panics
/// If it could not be made.
pub fn shared_partitions<P: IntoPartitions>(definition: &P) -> PartitionsDefinition {
    match definition.to_partitions() {
        Ok(definition) => (*definition).clone(),
        Err(error) => panic!("partitions: {error}"),
    }
}
