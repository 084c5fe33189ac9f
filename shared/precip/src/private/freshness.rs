//! Values of the option `freshness =`.

use std::fmt::Display;

use precip_core::freshness::FreshnessPolicy;

/// A value of `freshness =`: a policy, or the `Result` of creating one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a freshness policy",
    label = "not a freshness policy",
    note = "write `freshness(fail_window = \"24h\")`, or give a `FreshnessPolicy`"
)]
pub trait IntoFreshness {
    /// Returns the policy.
    ///
    /// # Errors
    /// A message when the policy is invalid.
    fn to_freshness(&self) -> Result<FreshnessPolicy, String>;
}

impl IntoFreshness for FreshnessPolicy {
    fn to_freshness(&self) -> Result<FreshnessPolicy, String> {
        Ok(self.clone())
    }
}

impl<E: Display> IntoFreshness for Result<FreshnessPolicy, E> {
    fn to_freshness(&self) -> Result<FreshnessPolicy, String> {
        match self {
            Ok(policy) => Ok(policy.clone()),
            Err(error) => Err(format!("its freshness policy is invalid: {error}")),
        }
    }
}
