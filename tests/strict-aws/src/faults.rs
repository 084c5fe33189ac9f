//! What goes wrong, drawn from the seed.

use std::{collections::BTreeMap, time::Duration};

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

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A request is lost on its way.
    LostRequest,
    /// An answer is lost on its way.
    LostAnswer,
    /// AWS fails.
    InternalError,
    /// A request is throttled, beyond those that exceed the throughput.
    Throttle,
    /// An item of a batch is left unprocessed.
    Unprocessed,
    /// A write meets another.
    Conflict,
    /// A read sees an earlier state.
    StaleRead,
    /// A call takes longer.
    Late,
}

/// The number of faults of each kind that have happened.
pub(crate) type FaultCounts = BTreeMap<Fault, u64>;

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
    fn share(&self, fault: Fault) -> f64 {
        match fault {
            Fault::LostRequest => self.lost_requests,
            Fault::LostAnswer => self.lost_answers,
            Fault::InternalError => self.internal_errors,
            Fault::Throttle => self.throttled,
            Fault::Unprocessed => self.unprocessed,
            Fault::Conflict => self.conflicts,
            Fault::StaleRead => self.stale_reads,
            Fault::Late => self.late,
        }
    }

    /// Draws whether a fault happens, and counts it.
    pub(crate) fn happens(
        &self,
        fault: Fault,
        rng: &mut fastrand::Rng,
        counts: &mut FaultCounts,
    ) -> bool {
        let share = self.share(fault);
        // Nothing is drawn for what never happens, so that one kind does not change the others' course.
        let happens = share > 0.0 && rng.f64() < share;
        if happens {
            *counts.entry(fault).or_default() += 1;
        }
        happens
    }

    /// Draws the fate of a call.
    pub(crate) fn draw(&self, rng: &mut fastrand::Rng, counts: &mut FaultCounts) -> Fate {
        let mut happens = |fault| self.happens(fault, rng, counts);
        let (lost_request, lost_answer) = (happens(Fault::LostRequest), happens(Fault::LostAnswer));
        let (fails, late) = (happens(Fault::InternalError), happens(Fault::Late));
        let after = fails && rng.bool();
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
