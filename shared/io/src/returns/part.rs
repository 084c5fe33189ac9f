//! [`PartReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, Made, Output};

use super::asset_return::made;
use crate::IntoAsset;

/// What a function that makes several partitions at once may return for one of them: a `T` that is
/// [`IntoAsset`], an [`Output<T>`](Output), or a `Result` of either, so that one partition can fail
/// while the others do not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as one partition of an asset",
    label = "not a type that one partition may be",
    note = "return `Partitions<T>` where `T` can be stored, or `Partitions<Result<T, E>>`"
)]
pub trait PartReturn {
    /// What downstream assets can load.
    type Data: 'static;

    /// What the engine records of the partition.
    ///
    /// # Errors
    /// The partition's own error, or that its data cannot be stored (terminal).
    fn into_made(self) -> Result<Made, AssetError>;
}

impl<T: IntoAsset + 'static> PartReturn for T {
    type Data = T;

    fn into_made(self) -> Result<Made, AssetError> {
        made(Output::new(self))
    }
}

impl<T: IntoAsset + 'static> PartReturn for Output<T> {
    type Data = T;

    fn into_made(self) -> Result<Made, AssetError> {
        made(self)
    }
}

impl<R: PartReturn, E: Into<Box<dyn Error + Send + Sync>>> PartReturn for Result<R, E> {
    type Data = R::Data;

    fn into_made(self) -> Result<Made, AssetError> {
        self.map_err(AssetError::from_boxed)?.into_made()
    }
}
