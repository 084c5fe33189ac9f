//! The answer of a simulation.

use std::time::Duration;

use precip_core::cost::{Amounts, Line, Prices};
use precip_engine::machine::Mode;
use serde::Serialize;

use crate::timeline::Timeline;

/// The limit that a run reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedBy {
    /// The account's concurrency.
    AccountConcurrency,
    /// The concurrency reserved for the materializers.
    ReservedConcurrency,
    /// The rate at which functions start environments or take requests.
    ScalingRate,
    /// A pool.
    Pool,
    /// The table's throughput.
    TableThroughput,
    /// The concurrency of the Distributed Maps: the parameter `MaxConcurrency`.
    MaxConcurrency,
    /// A machine's own rate: the 40 items at once of an inline Map, or the start of children.
    MachineRate,
    /// Nothing but the longest chain of items that wait for each other.
    LongestChain,
}

impl LimitedBy {
    /// Returns a sentence about the limit, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::AccountConcurrency => "the account's concurrency in Lambda",
            Self::ReservedConcurrency => "the concurrency reserved for the materializers",
            Self::ScalingRate => "the rate at which Lambda starts environments",
            Self::Pool => "a pool",
            Self::TableThroughput => "the table's throughput",
            Self::MaxConcurrency => {
                "the children that a Distributed Map runs at once (MaxConcurrency)"
            }
            Self::MachineRate => "the rate of one state machine",
            Self::LongestChain => "the longest chain of items that wait for each other",
        }
    }
}

/// The course of one op.
#[derive(Debug, Clone, Serialize)]
pub struct OpSpan {
    /// The op.
    pub op: String,
    /// Number of attempts that ran.
    pub invocations: u64,
    /// The beginning of the first, in seconds.
    pub began: f64,
    /// The end of the last, in seconds.
    pub ended: f64,
    /// The invocations that ran at once.
    #[serde(skip)]
    pub running: Timeline,
}

/// The billed quantities of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SimulationUsage {
    /// The way in which the run's items are handed out.
    pub mode: Mode,
    /// The amounts.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// The duration, cost and limits of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The duration of the run.
    pub seconds: f64,
    /// The cost, in US dollars.
    pub dollars: f64,
    /// The limit that the run reaches.
    pub limited_by: LimitedBy,
    /// Number of (asset, partition) pairs that are made.
    pub partitions: u64,
    /// Number of planned pairs that are not made, although no op fails: their invocations were refused
    /// for longer than the machine waits.
    pub failed: u64,
    /// The error with which the execution ends, if one other than failed partitions ends it.
    pub ended_by: Option<String>,
    /// Number of invocations that Lambda throttles.
    pub throttled_invocations: u64,
    /// Number of requests that DynamoDB throttles.
    pub throttled_requests: u64,
    /// The most invocations that run at once.
    pub peak_concurrency: f64,
    /// The items of the bill.
    pub bill: Vec<Line>,
    /// The quantities behind the bill.
    pub usage: SimulationUsage,
    /// The ops, in the order in which they begin.
    pub ops: Vec<OpSpan>,
    /// The assumptions, one sentence each.
    pub assumptions: Vec<String>,
    /// The prices.
    pub prices: Prices,
    /// The invocations that run at once.
    #[serde(skip)]
    pub concurrency: Timeline,
    /// The duration of the run.
    #[serde(skip)]
    pub duration: Duration,
}
