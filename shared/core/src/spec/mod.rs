//! The declarations of a project as data: assets, ops, checks and their policies.

mod asset;
mod check;
mod names;
mod op;
mod owner;
mod policy;

pub use asset::{AssetSpec, DepNeed, DepSpec};
pub use check::{CheckSpec, Severity};
pub use names::{BinaryName, GroupName, InvalidName, Kind, TagKey, TagValue, TriggerName};
pub use op::OpSpec;
pub use owner::{InvalidOwner, Owner};
pub use policy::{BackfillPolicy, Backoff, ComputeProfile, Jitter, RetryPolicy, profile_name};

#[cfg(test)]
mod tests;
