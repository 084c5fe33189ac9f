//! What goes wrong, drawn from the seed.

use std::time::Duration;

/// The shares of calls that go wrong, from 0 to 1. Each is drawn by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Requests that are lost on their way: the call has no effect.
    pub lost_requests: f64,
    /// Answers that are lost: the call had its effect, and the caller does not know.
    pub lost_answers: f64,
    /// Calls that fail with a status of 500, half of them after their effect.
    pub internal_errors: f64,
    /// Requests that DynamoDB or S3 throttles, beyond those that exceed the throughput.
    pub throttled: f64,
    /// Items of batches that DynamoDB leaves unprocessed.
    pub unprocessed: f64,
    /// Writes that meet a transaction on the same item, and conditional writes of S3 that meet another
    /// write of the same object.
    pub conflicts: f64,
    /// Eventually consistent reads that see an earlier state, of up to a second ago.
    pub stale_reads: f64,
    /// Calls that take up to [`longest_delay`](Self::longest_delay) longer.
    pub late: f64,
    /// Longest delay of a late call.
    pub longest_delay: Duration,
}

/// The fate of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) lost_request: bool,
    pub(crate) lost_answer: bool,
    pub(crate) fails_before: bool,
    pub(crate) fails_after: bool,
    pub(crate) delay: Duration,
}

impl Faults {
    /// Draws the fate of a call.
    pub(crate) fn draw(&self, rng: &mut fastrand::Rng) -> Fate {
        let mut happens = |share: f64| share > 0.0 && rng.f64() < share;
        let (lost_request, lost_answer) = (happens(self.lost_requests), happens(self.lost_answers));
        let (fails, after) = (happens(self.internal_errors), happens(0.5));
        let late = happens(self.late);
        Fate {
            lost_request,
            lost_answer,
            fails_before: fails && !after,
            fails_after: fails && after,
            delay: match late {
                true => self.longest_delay.mul_f64(rng.f64()),
                false => Duration::ZERO,
            },
        }
    }
}
