//! [`AssetReturn`].

use std::error::Error;

use precip_engine::asset::{
    AssetError, MaterializeResult, Output, ReturnValue, ReturnedOutput, Unmanaged,
};

use super::PartReturn;
use crate::{IntoAsset, Partitions};

/// Types that the function of an asset can return.
///
/// | type | means |
/// |---|---|
/// | `T` that is [`IntoAsset`] | the asset's IO manager stores it |
/// | [`Output<T>`](Output) | the same, with metadata |
/// | [`MaterializeResult`], `()` | the function stored the data itself |
/// | [`Partitions<T>`](Partitions), `Partitions<Option<T>>`, `Partitions<Result<T, E>>` | one value for each of several partitions |
/// | `Option<R>` | as `R`; with `None` there is nothing to make: the partition is *skipped*, and nothing failed |
/// | `Result<R, E>` | as `R`; an error is retryable unless it is made `.terminal()` |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as an asset",
    label = "not a type that an asset's function may return",
    note = "return `Vec<Row>` for a table (one serde struct a row), `Json<T>` for one document, `String`, `bytes::Bytes`, a number, or a `Table`, or a `Result` of one",
    note = "a function that stores its data itself returns `MaterializeResult`"
)]
pub trait AssetReturn {
    /// The type of the data that downstream assets load.
    type Data: 'static;

    /// Converts the result into the form that the engine records.
    ///
    /// # Errors
    /// The function's own error, or a terminal error when the data cannot be stored.
    fn into_return_value(self) -> Result<ReturnValue, AssetError>;
}

impl<T: IntoAsset + 'static> AssetReturn for T {
    type Data = T;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        Output::new(self).into_return_value()
    }
}

impl<T: IntoAsset + 'static> AssetReturn for Output<T> {
    type Data = T;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        to_returned_output(self).map(ReturnValue::Whole)
    }
}

/// Converts an output into the form that is stored, with its metadata.
pub(super) fn to_returned_output<T: IntoAsset>(
    output: Output<T>,
) -> Result<ReturnedOutput, AssetError> {
    let value = output
        .value
        .into_asset()
        .map_err(|error| AssetError::from(error).into_terminal())?;
    Ok(ReturnedOutput {
        value: Some(value),
        metadata: output.metadata,
        checks: output.checks,
        data_version: output.data_version,
    })
}

impl AssetReturn for MaterializeResult {
    type Data = Unmanaged;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        Ok(ReturnValue::Whole(ReturnedOutput {
            value: None,
            metadata: self.metadata,
            checks: self.checks,
            data_version: self.data_version,
        }))
    }
}

impl AssetReturn for () {
    type Data = Unmanaged;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        MaterializeResult::new().into_return_value()
    }
}

impl<R: PartReturn> AssetReturn for Partitions<R> {
    type Data = R::Data;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        let parts = self
            .into_iter()
            .map(|(key, part)| (key, part.into_returned_output()));
        Ok(ReturnValue::Parts(parts.collect()))
    }
}

impl<R: AssetReturn> AssetReturn for Option<R> {
    type Data = R::Data;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        self.map_or(Ok(ReturnValue::Nothing), R::into_return_value)
    }
}

impl<R: AssetReturn, E: Into<Box<dyn Error + Send + Sync>>> AssetReturn for Result<R, E> {
    type Data = R::Data;

    fn into_return_value(self) -> Result<ReturnValue, AssetError> {
        self.map_err(AssetError::from_boxed)?.into_return_value()
    }
}
