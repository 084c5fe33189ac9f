//! [`PartReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, Output, ReturnedOutput};

use super::asset_return::to_returned_output;
use crate::IntoAsset;

/// Types that a function of several partitions can return for one of them: a `T` that is [`IntoAsset`], an
/// [`Output<T>`](Output), or a `Result` of either, so that one partition can fail alone. An `Option` of any of these skips the
/// partition where it is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as one partition of an asset",
    label = "not a type that one partition may be",
    note = "return `Partitions<T>` where `T` can be stored, `Partitions<Option<T>>` or `Partitions<Result<T, E>>`"
)]
pub trait PartReturn {
    /// The type of the data that downstream assets load.
    type Data: 'static;

    /// Converts the result into the form that the engine records for the partition; `None` when there is
    /// nothing to make.
    ///
    /// # Errors
    /// The partition's own error, or a terminal error when its data cannot be stored.
    fn into_returned_output(self) -> Result<Option<ReturnedOutput>, AssetError>;
}

impl<T: IntoAsset + 'static> PartReturn for T {
    type Data = T;

    fn into_returned_output(self) -> Result<Option<ReturnedOutput>, AssetError> {
        to_returned_output(Output::new(self)).map(Some)
    }
}

impl<T: IntoAsset + 'static> PartReturn for Output<T> {
    type Data = T;

    fn into_returned_output(self) -> Result<Option<ReturnedOutput>, AssetError> {
        to_returned_output(self).map(Some)
    }
}

impl<R: PartReturn> PartReturn for Option<R> {
    type Data = R::Data;

    fn into_returned_output(self) -> Result<Option<ReturnedOutput>, AssetError> {
        self.map_or(Ok(None), R::into_returned_output)
    }
}

impl<R: PartReturn, E: Into<Box<dyn Error + Send + Sync>>> PartReturn for Result<R, E> {
    type Data = R::Data;

    fn into_returned_output(self) -> Result<Option<ReturnedOutput>, AssetError> {
        self.map_err(AssetError::from_boxed)?.into_returned_output()
    }
}
