//! [`FreshnessState`]: the verdict of a policy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The verdict of a freshness policy on an asset at a moment. An asset without a policy has no
/// state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FreshnessState {
    /// The data is as fresh as it should be.
    Pass,
    /// The data is older than the warning limit, but not yet too old.
    Warn,
    /// The data is too old.
    Fail,
    /// The asset has never been materialized.
    Unknown,
}

impl fmt::Display for FreshnessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
        })
    }
}
