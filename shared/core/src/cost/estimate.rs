//! Cost estimates.

use serde::Serialize;

use super::{Prices, Usage, Workload, usage, usage::to_f64};

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
    let gb_second = if work.arm64 {
        prices.lambda_gb_second_arm64
    } else {
        prices.lambda_gb_second_x86_64
    };
    let quantities = [
        (
            "Step Functions",
            "Standard transitions",
            to_f64(usage.standard_transitions),
            prices.standard_transition,
        ),
        (
            "Step Functions",
            "Express requests",
            to_f64(usage.express_requests),
            prices.express_request,
        ),
        (
            "Step Functions",
            "Express GB-seconds",
            usage.express_gb_seconds,
            prices.express_gb_second,
        ),
        (
            "Lambda",
            "invocations",
            to_f64(usage.lambda_requests),
            prices.lambda_request,
        ),
        (
            "Lambda",
            "GB-seconds of memory",
            usage.lambda_gb_seconds,
            gb_second,
        ),
        (
            "Lambda",
            "GB-seconds of disk",
            usage.lambda_disk_gb_seconds,
            prices.lambda_disk_gb_second,
        ),
        (
            "DynamoDB",
            "write units",
            to_f64(usage.dynamodb_writes),
            prices.dynamodb_write,
        ),
        (
            "DynamoDB",
            "read units",
            usage.dynamodb_reads,
            prices.dynamodb_read,
        ),
        ("S3", "PUT requests", to_f64(usage.s3_puts), prices.s3_put),
        ("S3", "GET requests", to_f64(usage.s3_gets), prices.s3_get),
    ];
    // Quantities of zero are left off the bill.
    let lines: Vec<Line> = quantities
        .into_iter()
        .filter(|(_, _, amount, _)| *amount > 0.0)
        .map(|(service, what, amount, price)| Line {
            service,
            unit: what,
            amount,
            price,
            cost: amount * price,
        })
        .collect();
    Estimate {
        total: lines.iter().map(|line| line.cost).sum(),
        lines,
        usage,
        made: work.partitions_made(),
        assumptions: usage::list_assumptions(work, usage.mode),
        prices: *prices,
    }
}
