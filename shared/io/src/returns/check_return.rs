//! [`CheckReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, CheckResult};

/// Types that the function of a check can return: a [`CheckResult`], a `bool`, or a `Result` of either. An
/// error means that the check could not run; it is neither passed nor failed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a check found",
    label = "return `CheckResult` or `bool`, or a `Result` of one"
)]
pub trait CheckReturn {
    /// Converts the value into the result of the check.
    ///
    /// # Errors
    /// The error for which the check could not run.
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
