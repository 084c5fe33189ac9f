//! Policies of ops: retries, backfills and compute resources.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::BinaryName;

/// The number of retries of a failed op, and the wait in between, like Dagster's `RetryPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryPolicy {
    /// The greatest number of retries after the first attempt.
    pub max_retries: u32,
    /// The wait before the first retry.
    #[serde(default)]
    pub delay: Duration,
    /// The growth of the wait from one retry to the next.
    #[serde(default)]
    pub backoff: Backoff,
    /// The random variation of the wait, which spreads simultaneous failures over time.
    #[serde(default)]
    pub jitter: Jitter,
}

/// The growth of the wait between retries.
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

/// The random variation of a wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    /// No variation.
    #[default]
    None,
    /// Between zero and the whole wait.
    Full,
    /// Between zero and twice the wait.
    PlusMinus,
}

/// The number of partitions in one run of a backfill, like Dagster's `BackfillPolicy`.
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

/// The compute resources of an op that runs as a Lambda function, and its binary. Ops with equal
/// profiles share one function.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ComputeProfile {
    /// Memory in MiB: 128 to 10,240 (AWS Lambda's limits).
    pub memory_mib: u32,
    /// The timeout of one attempt: up to 900 s on Lambda.
    pub timeout: Duration,
    /// Scratch disk in MiB: 512 to 10,240.
    pub ephemeral_storage_mib: u32,
    /// The binary that the function runs, if the op needs one of its own, such as one with a
    /// database engine. The default is `materializer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinaryName>,
}

impl Default for ComputeProfile {
    /// Returns 512 MiB of memory, a timeout of 60 s and 512 MiB of disk.
    fn default() -> Self {
        Self {
            memory_mib: 512,
            timeout: Duration::from_secs(60),
            ephemeral_storage_mib: 512,
            binary: None,
        }
    }
}

/// Returns the name of a profile in deployed resources: `512MiB60s`, with the disk unless it is
/// Lambda's default of 512 MiB, `2048MiB900sDisk4096MiB`, and with the words of a binary other than
/// the default, `512MiB60sMaterializerSql`. Lambda counts timeouts in whole seconds, so profiles
/// that are equal to Lambda have equal names. The name consists of letters and digits.
///
/// ```
/// use precip_core::spec::{ComputeProfile, profile_name};
///
/// let profile = ComputeProfile { memory_mib: 1024, ..ComputeProfile::default() };
/// assert_eq!(profile_name(&profile), "1024MiB60s");
/// ```
pub fn profile_name(profile: &ComputeProfile) -> String {
    let seconds = profile.timeout_seconds();
    let disk = profile.ephemeral_storage_mib;
    let mut name = format!("{}MiB{seconds}s", profile.memory_mib);
    if disk != ComputeProfile::default().ephemeral_storage_mib {
        name += &format!("Disk{disk}MiB");
    }
    let binary = profile.binary.as_deref().unwrap_or_default();
    name.extend(binary.split(['-', '_']).map(capitalize_word));
    name
}

fn capitalize_word(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

impl ComputeProfile {
    /// The default binary.
    pub const MATERIALIZER: &str = "materializer";

    /// Returns the binary that runs the ops of this profile.
    pub fn binary(&self) -> &str {
        self.binary.as_deref().unwrap_or(Self::MATERIALIZER)
    }

    /// Returns the timeout of one attempt in whole seconds, rounded up, as Lambda counts it.
    pub fn timeout_seconds(&self) -> u64 {
        self.timeout.as_secs() + u64::from(self.timeout.subsec_nanos() > 0)
    }
}
