//! The materializers: a function for each compute profile that ops ask for.

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

/// What a function gets beyond an attempt's timeout, to put down that the attempt timed out.
const MARGIN_SECONDS: u64 = 10;

/// How many materializers fit: the roles of the state machines name each, and the inline policies of
/// a role have at most 10,240 characters.
const MOST: usize = 60;

/// How many ops are named where there are many.
const NAMED: usize = 5;

/// A function that runs the ops of one compute profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Materializer {
    /// Its logical id.
    pub(super) id: String,
    /// Its name behind that of the stack.
    pub(super) name: String,
    /// The placeholder of its ARN in state machines.
    pub(super) placeholder: String,
    /// The program that it is.
    pub(super) binary: String,
    pub(super) memory_mib: u32,
    pub(super) timeout_seconds: u64,
    pub(super) ephemeral_storage_mib: u32,
    attempt_seconds: u64,
    ops: Vec<String>,
}

impl Materializer {
    /// One for each compute profile, by memory, time, storage, program.
    pub(super) fn all(ops: &[OpManifest]) -> Result<Vec<Self>, SynthError> {
        let mut profiles: BTreeMap<ComputeProfile, Vec<String>> = BTreeMap::new();
        for op in ops {
            let profile = &op.spec.compute;
            fits(&op.spec.name, profile)?;
            let machine = ComputeProfile {
                timeout: Duration::from_secs(profile.timeout_seconds()),
                ..profile.clone()
            };
            profiles
                .entry(machine)
                .or_default()
                .push(op.spec.name.clone());
        }
        distinct(profiles.keys())?;
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
            "Makes one partition. For ops with {} MiB of memory, {} s and {} MiB of disk.",
            self.memory_mib, self.attempt_seconds, self.ephemeral_storage_mib
        )
    }

    /// The ops, in words for a comment.
    pub(super) fn used_by(&self) -> String {
        let shown = self.ops.iter().take(NAMED);
        let shown = shown.map(|op| op.replace(|c: char| c.is_control(), " "));
        let shown = shown.collect::<Vec<_>>().join(", ");
        match self.ops.len().checked_sub(NAMED) {
            None | Some(0) => format!("For {shown}."),
            Some(more) => format!("For {shown} and {more} more."),
        }
    }

    pub(super) fn log(&self) -> String {
        format!("{}Log", self.id)
    }

    pub(super) fn reference(&self) -> String {
        format!("!Ref {}", self.id)
    }

    pub(super) fn errors(&self) -> String {
        format!(
            "More than a tenth of the attempts of {} failed, for a quarter of an hour. The run says which partitions.",
            self.name
        )
    }

    pub(super) fn errors_alarm(&self) -> String {
        format!("{}ErrorsAlarm", self.id)
    }

    pub(super) fn throttles_alarm(&self) -> String {
        format!("{}ThrottlesAlarm", self.id)
    }

    pub(super) fn throttles(&self) -> String {
        format!(
            "{} has been throttled for a quarter of an hour: lower MaxConcurrency, or raise MaterializerConcurrency or the account's limit.",
            self.name
        )
    }
}

/// Whether every profile has a name of its own, as what is deployed for it goes by that.
fn distinct<'a>(profiles: impl Iterator<Item = &'a ComputeProfile>) -> Result<(), SynthError> {
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

fn fits(op: &str, profile: &ComputeProfile) -> Result<(), SynthError> {
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
