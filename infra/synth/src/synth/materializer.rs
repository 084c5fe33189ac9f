//! The materializers: a function for each compute profile of the ops.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use precip_asl::compile::function_substitution;
use precip_core::{
    manifest::OpManifest,
    spec::{ComputeProfile, profile_name},
};

use super::SynthError;

/// Lambda's limits, from "Lambda quotas" in its developer guide.
const MEMORY_MIB: RangeInclusive<u32> = 128..=10_240;
const STORAGE_MIB: RangeInclusive<u32> = 512..=10_240;
const LONGEST_SECONDS: u64 = 900;

/// Time of a function beyond an attempt's timeout, for recording the timeout, in seconds.
const MARGIN_SECONDS: u64 = 10;

/// Largest number of materializers: the roles of the state machines name each, and the inline
/// policies of a role have at most 10,240 characters.
const MOST: usize = 60;

/// Largest number of ops in a comment.
const NAMED: usize = 5;

/// A function that runs the ops of one compute profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Materializer {
    /// Its logical id.
    pub(super) id: String,
    /// Its name after that of the stack.
    pub(super) name: String,
    /// The placeholder of its ARN in state machines.
    pub(super) placeholder: String,
    /// The binary that it runs.
    pub(super) binary: String,
    pub(super) memory_mib: u32,
    pub(super) timeout_seconds: u64,
    pub(super) ephemeral_storage_mib: u32,
    attempt_seconds: u64,
    ops: Vec<String>,
}

impl Materializer {
    /// Returns a function for each compute profile, ordered by memory, time, storage and binary.
    pub(super) fn for_profiles(ops: &[OpManifest]) -> Result<Vec<Self>, SynthError> {
        let mut profiles: BTreeMap<ComputeProfile, Vec<String>> = BTreeMap::new();
        for op in ops {
            let profile = &op.spec.compute;
            check_limits(&op.spec.name, profile)?;
            // Timeouts that differ by less than a second are the same function.
            let function = ComputeProfile {
                timeout: Duration::from_secs(profile.timeout_seconds()),
                ..profile.clone()
            };
            profiles
                .entry(function)
                .or_default()
                .push(op.spec.name.clone());
        }
        // The name of a profile leaves out `-` and `_`, so two binaries may collide.
        check_distinct_names(profiles.keys())?;
        if profiles.len() > MOST {
            return Err(SynthError::Profiles {
                found: profiles.len(),
                most: MOST,
            });
        }
        let of = |(profile, ops): (ComputeProfile, Vec<String>)| {
            let name = profile_name(&profile);
            let attempt_seconds = profile.timeout_seconds();
            Self {
                id: format!("Materializer{name}"),
                placeholder: function_substitution(&profile),
                name: format!("materializer-{name}"),
                binary: profile.binary().to_owned(),
                memory_mib: profile.memory_mib,
                timeout_seconds: LONGEST_SECONDS.min(attempt_seconds + MARGIN_SECONDS),
                ephemeral_storage_mib: profile.ephemeral_storage_mib,
                attempt_seconds,
                ops,
            }
        };
        Ok(profiles.into_iter().map(of).collect())
    }

    pub(super) fn description(&self) -> String {
        format!(
            "Materializes one partition. For ops with {} MiB of memory, {} s and {} MiB of disk.",
            self.memory_mib, self.attempt_seconds, self.ephemeral_storage_mib
        )
    }

    /// Returns the names of its ops, for a comment.
    pub(super) fn used_by(&self) -> String {
        let names: Vec<String> = self
            .ops
            .iter()
            .take(NAMED)
            .map(|op| op.replace(|c: char| c.is_control(), " "))
            .collect();
        let shown = names.join(", ");
        // Long lists are cut: the comment is for people.
        match self.ops.len().checked_sub(NAMED) {
            None | Some(0) => format!("For {shown}."),
            Some(more) => format!("For {shown} and {more} more."),
        }
    }

    pub(super) fn log_id(&self) -> String {
        format!("{}Log", self.id)
    }

    pub(super) fn ref_yaml(&self) -> String {
        format!("!Ref {}", self.id)
    }

    pub(super) fn errors_description(&self) -> String {
        format!(
            "More than a tenth of the attempts of {} failed, for a quarter of an hour. The run lists the partitions.",
            self.name
        )
    }

    pub(super) fn errors_alarm(&self) -> String {
        format!("{}ErrorsAlarm", self.id)
    }

    pub(super) fn throttles_alarm(&self) -> String {
        format!("{}ThrottlesAlarm", self.id)
    }

    pub(super) fn throttles_description(&self) -> String {
        format!(
            "{} has been throttled for a quarter of an hour: lower MaxConcurrency, or raise MaterializerConcurrency or the account's limit.",
            self.name
        )
    }
}

/// Checks that every profile has a distinct name, by which its resources are named.
fn check_distinct_names<'a>(
    profiles: impl Iterator<Item = &'a ComputeProfile>,
) -> Result<(), SynthError> {
    let mut named: BTreeMap<String, &str> = BTreeMap::new();
    for profile in profiles {
        let binary = profile.binary();
        if let Some(other) = named.insert(profile_name(profile), binary) {
            return Err(SynthError::Binaries {
                binary: binary.to_owned(),
                other: other.to_owned(),
            });
        }
    }
    Ok(())
}

/// Checks a compute profile against Lambda's limits.
fn check_limits(op: &str, profile: &ComputeProfile) -> Result<(), SynthError> {
    let refused = |what: String, range| {
        Err(SynthError::Compute {
            op: op.to_owned(),
            what,
            range,
        })
    };
    if !MEMORY_MIB.contains(&profile.memory_mib) {
        let what = format!("{} MiB of memory", profile.memory_mib);
        return refused(what, "128 to 10,240 MiB");
    }
    if !STORAGE_MIB.contains(&profile.ephemeral_storage_mib) {
        let what = format!("{} MiB of disk", profile.ephemeral_storage_mib);
        return refused(what, "512 to 10,240 MiB");
    }
    match profile.timeout_seconds() {
        1..=LONGEST_SECONDS => Ok(()),
        seconds => refused(format!("{seconds} s"), "1 to 900 s"),
    }
}
