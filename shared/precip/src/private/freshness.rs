//! Freshness policies as they are written after `freshness =`.

use std::fmt::Display;

use precip_core::freshness::FreshnessPolicy;

/// What may follow `freshness =`: a policy, or the `Result` of making one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a freshness policy",
    label = "not a freshness policy",
    note = "write `freshness(fail_window = \"24h\")`, or give a `FreshnessPolicy`"
)]
pub trait IntoFreshness {
    /// The policy.
    ///
    /// # Errors
    /// Why it could not be made.
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
            Err(error) => Err(format!("its freshness policy cannot be made: {error}")),
        }
    }
}
