//! Lambda's quotas.

use std::time::Duration;

/// The quotas of an account in one region.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Number of invocations that run at once, of all functions together: 1,000 by default. Many new
    /// accounts have 10, until AWS raises the quota.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    pub account_concurrency: u32,
    /// Concurrency that cannot be reserved for single functions: 100.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
    pub unreservable: u32,
    /// Number of environments that a function may start within [`scaling_period`](Self::scaling_period)
    /// on top of its warm ones: 1,000. They refill continuously and do not accumulate.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html>
    pub scaling_environments: u32,
    /// The period of [`scaling_environments`](Self::scaling_environments): 10 s.
    pub scaling_period: Duration,
    /// Number of requests a second for each unit of concurrency: 10.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    pub requests_per_concurrency: u32,
    /// Time after which an idle environment is removed. AWS documents none; assumed.
    pub idle_time: Duration,
    /// Size of a synchronous invocation's payload, and of its answer: 6 MB.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    pub payload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            account_concurrency: 1_000,
            unreservable: 100,
            scaling_environments: 1_000,
            scaling_period: Duration::from_secs(10),
            requests_per_concurrency: 10,
            idle_time: Duration::from_secs(300),
            payload_bytes: 6 * 1_024 * 1_024,
        }
    }
}

impl Limits {
    /// Returns these quotas with another concurrency of the account.
    #[must_use]
    pub fn with_account_concurrency(self, account_concurrency: u32) -> Self {
        Self {
            account_concurrency,
            ..self
        }
    }
}
