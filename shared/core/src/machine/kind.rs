//! [`step_kind`]: grouping ops that can share a state.

use crate::spec::{Backoff, Jitter, OpSpec, RetryPolicy, profile_name};

/// Returns the properties of an op that a state machine needs to invoke it: the function, the retry
/// policy, and whether it waits for a pool. Ops of one kind can share a state.
///
/// ```
/// use precip_core::{machine::step_kind, spec::{AssetSpec, OpSpec}};
///
/// let mut flights = OpSpec::single(AssetSpec::new("flights".parse()?));
/// flights.pool = Some("warehouse".to_owned());
/// assert_eq!(step_kind(&flights), "512MiB60s pool");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn step_kind(op: &OpSpec) -> String {
    let policy = op.retry.as_ref().filter(|policy| policy.max_retries > 0);
    let retry = policy.map(format_retries).unwrap_or_default();
    let pool = if op.pool.is_some() { " pool" } else { "" };
    format!("{}{retry}{pool}", profile_name(&op.compute))
}

/// Formats a retry policy as part of a kind.
fn format_retries(policy: &RetryPolicy) -> String {
    let backoff = match policy.backoff {
        Backoff::Constant => "",
        Backoff::Linear => " linear",
        Backoff::Exponential => " exponential",
    };
    let jitter = match policy.jitter {
        Jitter::None => "",
        Jitter::Full => " full",
        Jitter::PlusMinus => " plus_minus",
    };
    let millis = policy.delay.as_millis();
    format!(
        " retry {} x {millis}ms{backoff}{jitter}",
        policy.max_retries
    )
}
