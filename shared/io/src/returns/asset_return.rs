//! [`AssetReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, Made, MaterializeResult, Output, Returned, Unmanaged};

use super::PartReturn;
use crate::{IntoAsset, Partitions};

/// What the function of an asset may return.
///
/// | type | means |
/// |---|---|
/// | `T` that is [`IntoAsset`] | the asset's IO manager stores it |
/// | [`Output<T>`](Output) | the same, with facts about it |
/// | [`MaterializeResult`], `()` | the function stored the data itself |
/// | [`Partitions<T>`](Partitions), `Partitions<Result<T, E>>` | one value for each of several partitions |
/// | `Option<R>` | as `R`; `None` materializes nothing, and nothing failed |
/// | `Result<R, E>` | as `R`; an error is retryable unless it is made `.terminal()` |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as an asset",
    label = "not a type that an asset's function may return",
    note = "return `Vec<Row>` for a table (one serde struct a row), `Json<T>` for one document, `String`, `bytes::Bytes`, a number, or a `Table`, or a `Result` of one",
    note = "a function that stores its data itself returns `MaterializeResult`"
)]
pub trait AssetReturn {
    /// What downstream assets can load.
    type Data: 'static;

    /// What the engine records.
    ///
    /// # Errors
    /// The function's own error, or that the data cannot be stored (terminal).
    fn into_returned(self) -> Result<Returned, AssetError>;
}

impl<T: IntoAsset + 'static> AssetReturn for T {
    type Data = T;

    fn into_returned(self) -> Result<Returned, AssetError> {
        Output::new(self).into_returned()
    }
}

impl<T: IntoAsset + 'static> AssetReturn for Output<T> {
    type Data = T;

    fn into_returned(self) -> Result<Returned, AssetError> {
        made(self).map(Returned::Whole)
    }
}

/// The data in the form that is stored, with the facts.
pub(super) fn made<T: IntoAsset>(output: Output<T>) -> Result<Made, AssetError> {
    let value = output
        .value
        .into_asset()
        .map_err(|error| AssetError::from(error).into_terminal())?;
    Ok(Made {
        value: Some(value),
        metadata: output.metadata,
        checks: output.checks,
        data_version: output.data_version,
    })
}

impl AssetReturn for MaterializeResult {
    type Data = Unmanaged;

    fn into_returned(self) -> Result<Returned, AssetError> {
        Ok(Returned::Whole(Made {
            value: None,
            metadata: self.metadata,
            checks: self.checks,
            data_version: self.data_version,
        }))
    }
}

impl AssetReturn for () {
    type Data = Unmanaged;

    fn into_returned(self) -> Result<Returned, AssetError> {
        MaterializeResult::new().into_returned()
    }
}

impl<R: PartReturn> AssetReturn for Partitions<R> {
    type Data = R::Data;

    fn into_returned(self) -> Result<Returned, AssetError> {
        let parts = self.into_iter().map(|(key, part)| (key, part.into_made()));
        Ok(Returned::Parts(parts.collect()))
    }
}

impl<R: AssetReturn> AssetReturn for Option<R> {
    type Data = R::Data;

    fn into_returned(self) -> Result<Returned, AssetError> {
        self.map_or(Ok(Returned::Nothing), R::into_returned)
    }
}

impl<R: AssetReturn, E: Into<Box<dyn Error + Send + Sync>>> AssetReturn for Result<R, E> {
    type Data = R::Data;

    fn into_returned(self) -> Result<Returned, AssetError> {
        self.map_err(AssetError::from_boxed)?.into_returned()
    }
}
