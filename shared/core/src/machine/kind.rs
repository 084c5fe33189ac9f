//! [`step_kind`].

use crate::spec::{Backoff, Jitter, OpSpec, RetryPolicy, profile_name};

/// What a machine has to know of an op to call it: the function, how it is tried again, and whether it
/// waits for a pool. Ops of one kind can share a state.
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
    let retry = op.retry.as_ref().filter(|policy| policy.max_retries > 0);
    let retry = retry.map(retries).unwrap_or_default();
    let pool = if op.pool.is_some() { " pool" } else { "" };
    format!("{}{retry}{pool}", profile_name(&op.compute))
}

fn retries(policy: &RetryPolicy) -> String {
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
