//! [`CheckReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, CheckResult};

/// What the function of a check may return: a [`CheckResult`], a `bool`, or a `Result` of either. An
/// error means that the check could not be run, which is no result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a check found",
    label = "return `CheckResult` or `bool`, or a `Result` of one"
)]
pub trait CheckReturn {
    /// What the check found.
    ///
    /// # Errors
    /// Why it could not be run.
    fn into_result(self) -> Result<CheckResult, AssetError>;
}

impl CheckReturn for CheckResult {
    fn into_result(self) -> Result<CheckResult, AssetError> {
        Ok(self)
    }
}

impl CheckReturn for bool {
    fn into_result(self) -> Result<CheckResult, AssetError> {
        Ok(self.into())
    }
}

impl<R: CheckReturn, E: Into<Box<dyn Error + Send + Sync>>> CheckReturn for Result<R, E> {
    fn into_result(self) -> Result<CheckResult, AssetError> {
        self.map_err(AssetError::from_boxed)?.into_result()
    }
}
