//! What a project declares, as data: assets, ops, checks and their policies.

mod asset;
mod check;
mod labels;
mod op;
mod policy;

pub use asset::{AssetSpec, DepSpec};
pub use check::{CheckSpec, Severity};
pub use labels::{InvalidOwner, Owner};
pub use op::OpSpec;
pub use policy::{BackfillPolicy, Backoff, ComputeProfile, Jitter, RetryPolicy};
