//! Admission of invocations, and throttling.

use std::{collections::VecDeque, time::Duration};

use super::{FunctionConfig, Limits};
use crate::rate::Bucket;

/// The reason for which Lambda refuses an invocation, with the name of its API.
///
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Throttle {
    /// The account's concurrency is used up.
    Account,
    /// The function's reserved concurrency is used up.
    Reserved,
    /// The function started as many environments as it may in ten seconds.
    Scaling,
    /// More requests a second than the concurrency allows.
    Rate,
}

impl Throttle {
    /// Returns the `Reason` in Lambda's answer.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Account | Self::Scaling => "ConcurrentInvocationLimitExceeded",
            Self::Reserved => "ReservedFunctionConcurrentInvocationLimitExceeded",
            Self::Rate => "FunctionInvocationRateLimitExceeded",
        }
    }
}

/// The invocations of an account that run, and what they share.
#[derive(Debug)]
pub(super) struct Account {
    /// Concurrency that no function has reserved.
    unreserved: u32,
    active_unreserved: u32,
    pub(super) active: u32,
    requests: Bucket,
}

/// The environments of a function.
#[derive(Debug)]
pub(super) struct Environments {
    reserved: Option<u32>,
    pub(super) active: u32,
    /// The times at which idle environments ended their last invocation, oldest first.
    idle: VecDeque<Duration>,
    scaling: Bucket,
    requests: Bucket,
}

impl Account {
    pub(super) fn new(limits: &Limits) -> Self {
        let rate = f64::from(limits.requests_per_concurrency * limits.account_concurrency);
        Self {
            unreserved: limits.account_concurrency,
            active_unreserved: 0,
            active: 0,
            requests: Bucket::new(rate, rate),
        }
    }

    /// Reserves concurrency for a function.
    ///
    /// # Errors
    /// The concurrency that can still be reserved.
    pub(super) fn reserve(&mut self, concurrency: u32, limits: &Limits) -> Result<(), u32> {
        let free = self.unreserved.saturating_sub(limits.unreservable);
        if concurrency > free {
            return Err(free);
        }
        self.unreserved -= concurrency;
        let rate = f64::from(limits.requests_per_concurrency * self.unreserved);
        self.requests.resize(rate, rate);
        Ok(())
    }

    /// Returns the concurrency that no function has reserved.
    pub(super) fn unreserved(&self) -> u32 {
        self.unreserved
    }

    /// Returns whether no concurrency is left that no function has reserved.
    pub(super) fn is_full(&self) -> bool {
        self.active_unreserved >= self.unreserved
    }

    /// Admits an invocation of a function. Returns true when it starts a new environment.
    ///
    /// # Errors
    /// The reason for which it is throttled.
    pub(super) fn admit(
        &mut self,
        function: &mut Environments,
        now: Duration,
        limits: &Limits,
    ) -> Result<bool, Throttle> {
        match function.reserved {
            Some(reserved) if function.active >= reserved => return Err(Throttle::Reserved),
            None if self.active_unreserved >= self.unreserved => return Err(Throttle::Account),
            _ => {}
        }
        let requests = match function.reserved {
            Some(_) => &mut function.requests,
            None => &mut self.requests,
        };
        if !requests.take(now, 1.0) {
            return Err(Throttle::Rate);
        }
        function.remove_expired(now, limits);
        // The environment that was used last is used again, so that the others can expire.
        let is_cold = function.idle.pop_back().is_none();
        if is_cold && !function.scaling.take(now, 1.0) {
            return Err(Throttle::Scaling);
        }
        function.active += 1;
        self.active += 1;
        if function.reserved.is_none() {
            self.active_unreserved += 1;
        }
        Ok(is_cold)
    }

    /// Ends an invocation. `reusable` is false when its environment was killed.
    pub(super) fn release(&mut self, function: &mut Environments, now: Duration, reusable: bool) {
        function.active -= 1;
        self.active -= 1;
        if function.reserved.is_none() {
            self.active_unreserved -= 1;
        }
        if reusable {
            function.idle.push_back(now);
        }
    }
}

impl Environments {
    pub(super) fn new(config: &FunctionConfig, limits: &Limits) -> Self {
        let capacity = f64::from(limits.scaling_environments);
        let reserved = config.reserved_concurrency;
        let rate = f64::from(limits.requests_per_concurrency * reserved.unwrap_or_default());
        Self {
            reserved,
            active: 0,
            idle: VecDeque::new(),
            scaling: Bucket::new(capacity, capacity / limits.scaling_period.as_secs_f64()),
            requests: Bucket::new(rate, rate),
        }
    }

    fn remove_expired(&mut self, now: Duration, limits: &Limits) {
        let expired = |since: &Duration| now.saturating_sub(*since) > limits.idle_time;
        while self.idle.front().is_some_and(expired) {
            self.idle.pop_front();
        }
    }
}
