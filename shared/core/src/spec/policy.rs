//! How an op is run: retries, backfills, and the machine it needs.

use std::{num::NonZeroU32, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::BinaryName;

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

/// The machine an op needs where it runs as a function, and the program on it: ops with equal profiles
/// share one.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ComputeProfile {
    /// Memory in MiB: 128 to 10,240 (AWS Lambda's limits).
    pub memory_mib: u32,
    /// How long one attempt may take: up to 900 s on Lambda.
    pub timeout: Duration,
    /// Scratch disk in MiB: 512 to 10,240.
    pub ephemeral_storage_mib: u32,
    /// The program that has what the op needs, such as a database engine that others do without:
    /// `materializer` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<BinaryName>,
}

impl Default for ComputeProfile {
    /// 512 MiB of memory, 60 s, 512 MiB of disk.
    fn default() -> Self {
        Self {
            memory_mib: 512,
            timeout: Duration::from_secs(60),
            ephemeral_storage_mib: 512,
            binary: None,
        }
    }
}

/// What a profile is called in the names of what is deployed for it: `512MiB60s`, with the disk where
/// it is not Lambda's own 512 MiB, `2048MiB900sDisk4096MiB`, and with the words of the program's
/// name where it has one of its own, `512MiB60sMaterializerSql`. Lambda counts timeouts in whole seconds,
/// so profiles that are the same to it have the same name. It has letters and digits only.
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
    let name = format!("{}MiB{seconds}s", profile.memory_mib);
    let name = match disk == ComputeProfile::default().ephemeral_storage_mib {
        true => name,
        false => format!("{name}Disk{disk}MiB"),
    };
    let binary = profile.binary.as_deref().unwrap_or_default();
    let words = binary.split(['-', '_']).map(capital);
    words.fold(name, |name, word| name + &word)
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_uppercase() + rest
}

impl ComputeProfile {
    /// The program that runs the ops, if it is none of their own.
    pub const MATERIALIZER: &str = "materializer";

    /// The program that runs the ops of this profile.
    pub fn binary(&self) -> &str {
        self.binary.as_deref().unwrap_or(Self::MATERIALIZER)
    }

    /// How long one attempt may take, in the whole seconds that Lambda counts in: rounded up.
    pub fn timeout_seconds(&self) -> u64 {
        self.timeout.as_secs() + u64::from(self.timeout.subsec_nanos() > 0)
    }
}
