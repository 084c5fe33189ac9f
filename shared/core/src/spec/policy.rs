//! How an op is run: retries, backfills, and the machine it needs.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a failed op is tried again, and how long to wait in between. As Dagster's `RetryPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryPolicy {
    /// How many times it is tried again after the first attempt.
    pub max_retries: u32,
    /// How long to wait before the first retry.
    #[serde(default)]
    pub delay: Duration,
    /// How the wait grows from one retry to the next.
    #[serde(default)]
    pub backoff: Backoff,
    /// How the wait is spread, so that many failures do not come back together.
    #[serde(default)]
    pub jitter: Jitter,
}

/// How the wait between retries grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// The same wait every time.
    #[default]
    Constant,
    /// `delay * attempt`.
    Linear,
    /// `delay * (2^attempt - 1)`.
    Exponential,
}

/// How a wait is spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// Exactly as computed.
    #[default]
    None,
    /// Anything from nothing to the whole wait.
    Full,
    /// The wait, more or less up to as much again.
    PlusMinus,
}

/// How many partitions of a backfill one run takes. As Dagster's `BackfillPolicy`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackfillPolicy {
    /// One run per partition.
    #[default]
    PerPartition,
    /// All partitions in one run.
    SingleRun,
    /// At most this many partitions in one run.
    MultiRun(NonZeroU32),
}

/// The machine an op needs where it runs as a function: ops with equal profiles share one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ComputeProfile {
    /// Memory in MiB: 128 to 10,240 (AWS Lambda's limits).
    pub memory_mib: u32,
    /// How long one attempt may take: up to 900 s on Lambda.
    pub timeout: Duration,
    /// Scratch disk in MiB: 512 to 10,240.
    pub ephemeral_storage_mib: u32,
}

impl ComputeProfile {
    /// The timeout in whole seconds, rounded up: Lambda knows no others.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use precip_core::spec::ComputeProfile;
    ///
    /// let profile = ComputeProfile { timeout: Duration::from_millis(1_200), ..Default::default() };
    /// assert_eq!(profile.timeout_whole_seconds(), 2);
    /// ```
    pub fn timeout_whole_seconds(&self) -> u64 {
        self.timeout.as_secs() + u64::from(self.timeout.subsec_nanos() > 0)
    }

    /// What tells the function for this profile from those for others, in names of what is deployed:
    /// letters and digits only. Profiles of one suffix share a function.
    ///
    /// ```
    /// use precip_core::spec::ComputeProfile;
    ///
    /// let profile = ComputeProfile::default();
    /// assert_eq!(profile.function_suffix(), "512x60");
    /// let profile = ComputeProfile { ephemeral_storage_mib: 2_048, ..profile };
    /// assert_eq!(profile.function_suffix(), "512x60x2048");
    /// ```
    pub fn function_suffix(&self) -> String {
        let (memory, seconds) = (self.memory_mib, self.timeout_whole_seconds());
        match self.ephemeral_storage_mib {
            // What every function has.
            512 => format!("{memory}x{seconds}"),
            disk => format!("{memory}x{seconds}x{disk}"),
        }
    }
}

impl Default for ComputeProfile {
    /// 512 MiB of memory, 60 s, 512 MiB of disk.
    fn default() -> Self {
        Self {
            memory_mib: 512,
            timeout: Duration::from_secs(60),
            ephemeral_storage_mib: 512,
        }
    }
}
