//! Cost estimates.

use serde::Serialize;

use super::{Amounts, Prices, Unit, Usage, Workload, usage};

/// The estimated cost of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// The sum of all lines, in US dollars.
    pub total: f64,
    /// The items of the bill.
    pub lines: Vec<Line>,
    /// The quantities behind the lines.
    pub usage: Usage,
    /// The number of (asset, partition) pairs made.
    pub made: u64,
    /// The assumptions of the estimate, one sentence each.
    pub assumptions: Vec<String>,
    /// The prices used.
    pub prices: Prices,
}

/// One item of the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The AWS service.
    pub service: &'static str,
    /// The unit that is billed, such as `invocations`.
    #[serde(rename = "what")]
    pub unit: &'static str,
    /// The number of units.
    pub amount: f64,
    /// The price of one unit, in US dollars.
    pub price: f64,
    /// `amount` times `price`, in US dollars.
    pub cost: f64,
}

/// Returns the items of a bill: one for each unit with an amount.
pub fn list_bill(used: &Amounts, prices: &Prices, arm64: bool) -> Vec<Line> {
    let line = |(unit, amount): (Unit, f64)| {
        let price = prices.of_unit(unit, arm64);
        Line {
            service: unit.service(),
            unit: unit.label(),
            amount,
            price,
            cost: amount * price,
        }
    };
    used.iter().map(line).collect()
}

/// Estimates the cost of a run.
///
/// ```
/// use std::time::Duration;
///
/// use precip_core::cost::{StageLoad, StepLoad, StepTime, US_EAST_1, Workload, estimate_cost};
///
/// let step = StepLoad {
///     op: "flights".to_owned(),
///     memory_mib: 512,
///     disk_mib: 512,
///     time: StepTime::Measured { mean: Duration::from_secs(2), samples: 31 },
///     made: 10_000,
///     replaced: 0,
///     loaded: 0,
/// };
/// let stage = StageLoad { wave: 0, items: 10_000, in_order: false, express: true, steps: vec![step] };
/// let estimate = estimate_cost(&Workload { stages: vec![stage], arm64: false }, &US_EAST_1);
/// // Mostly 10,000 invocations of 1 GB-second each, at 0.0000166667 dollars.
/// assert!(estimate.total > 0.1666 && estimate.total < 0.25);
/// ```
pub fn estimate_cost(work: &Workload, prices: &Prices) -> Estimate {
    let usage = Usage::for_workload(work);
    let lines = list_bill(&usage.to_amounts(), prices, work.arm64);
    Estimate {
        total: lines.iter().map(|line| line.cost).sum(),
        lines,
        usage,
        made: work.partitions_made(),
        assumptions: usage::list_assumptions(work, usage.mode),
        prices: *prices,
    }
}
