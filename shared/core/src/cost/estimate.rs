//! What a run costs.

use serde::Serialize;

use super::{Prices, Usage, Workload, usage};

/// What a run costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// In US dollars, all lines together.
    pub total: f64,
    /// What is paid for.
    pub lines: Vec<Line>,
    /// What is used.
    pub usage: Usage,
    /// How many (asset, partition) pairs are made.
    pub made: u64,
    /// What the estimate takes for granted.
    pub assumptions: Vec<String>,
    /// The prices.
    pub prices: Prices,
}

/// One thing that is paid for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The service.
    pub service: &'static str,
    /// What is counted.
    pub what: &'static str,
    /// How much of it.
    pub amount: f64,
    /// The price of one, in US dollars.
    pub price: f64,
    /// Both multiplied.
    pub cost: f64,
}

/// Estimates what a run costs.
///
/// ```
/// use std::time::Duration;
///
/// use precip_core::cost::{StageLoad, StepLoad, StepTime, US_EAST_1, Workload, estimate};
///
/// let step = StepLoad {
///     op: "flights".to_owned(),
///     memory_mib: 512,
///     disk_mib: 512,
///     time: StepTime::Measured { mean: Duration::from_secs(2), of: 31 },
///     made: 10_000,
///     replaced: 0,
///     loaded: 0,
/// };
/// let stage = StageLoad { wave: 0, items: 10_000, in_order: false, express: true, steps: vec![step] };
/// let estimate = estimate(&Workload { stages: vec![stage], arm64: false }, &US_EAST_1);
/// // 10,000 invocations of 1 GB-second each, at 0.0000166667 dollars, are most of it.
/// assert!(estimate.total > 0.1666 && estimate.total < 0.25);
/// ```
pub fn estimate(work: &Workload, prices: &Prices) -> Estimate {
    let usage = Usage::of(work);
    let gb_second = if work.arm64 {
        prices.lambda_gb_second_arm64
    } else {
        prices.lambda_gb_second_x86_64
    };
    let lines = [
        (
            "Step Functions",
            "Standard transitions",
            whole(usage.standard_transitions),
            prices.standard_transition,
        ),
        (
            "Step Functions",
            "Express requests",
            whole(usage.express_requests),
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
            whole(usage.lambda_requests),
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
            whole(usage.dynamodb_writes),
            prices.dynamodb_write,
        ),
        (
            "DynamoDB",
            "read units",
            usage.dynamodb_reads,
            prices.dynamodb_read,
        ),
        ("S3", "PUT requests", whole(usage.s3_puts), prices.s3_put),
        ("S3", "GET requests", whole(usage.s3_gets), prices.s3_get),
    ];
    let lines: Vec<Line> = lines
        .into_iter()
        .filter(|(_, _, amount, _)| *amount > 0.0)
        .map(|(service, what, amount, price)| Line {
            service,
            what,
            amount,
            price,
            cost: amount * price,
        })
        .collect();
    Estimate {
        total: lines.iter().map(|line| line.cost).sum(),
        lines,
        usage,
        made: work.made(),
        assumptions: usage::assumptions(work, usage.mode),
        prices: *prices,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 are not of a run, and a price needs a few digits"
)]
fn whole(of: u64) -> f64 {
    of as f64
}
