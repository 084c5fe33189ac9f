//! The price table. To update it, look up the pages it names, then change the numbers and the date.

use serde::Serialize;

use super::Unit;

/// The list prices of one region in US dollars: the first tier where there are several, without the
/// free tier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prices {
    /// The AWS region.
    pub region: &'static str,
    /// The date of the prices, as `YYYY-MM-DD`.
    pub dated: &'static str,
    /// The pages that publish the prices.
    pub sources: [&'static str; 10],
    /// One state transition of a Standard workflow.
    pub standard_transition: f64,
    /// The start of one Express workflow.
    pub express_request: f64,
    /// One GB-second of an Express workflow.
    pub express_gb_second: f64,
    /// One invocation of a function.
    pub lambda_request: f64,
    /// One GB-second of a function's memory on x86_64.
    pub lambda_gb_second_x86_64: f64,
    /// One GB-second of a function's memory on arm64.
    pub lambda_gb_second_arm64: f64,
    /// One GB-second of a function's disk beyond 512 MiB.
    pub lambda_disk_gb_second: f64,
    /// One write request unit of an on-demand table: a write of up to 1 KB.
    pub dynamodb_write: f64,
    /// One read request unit: a strongly consistent read of up to 4 KB, or two that are not.
    pub dynamodb_read: f64,
    /// One PUT, COPY, POST or LIST of S3 Standard.
    pub s3_put: f64,
    /// One GET of S3 Standard.
    pub s3_get: f64,
    /// One read request unit of a table's stream.
    pub dynamodb_stream_read: f64,
    /// One request to a standard queue.
    pub sqs_request: f64,
    /// One notification published to a topic.
    pub sns_request: f64,
    /// One event of EventBridge that is not free: events of S3 are not.
    pub eventbridge_event: f64,
    /// One invocation by EventBridge Scheduler.
    pub scheduler_invocation: f64,
    /// One byte of logs that CloudWatch takes in.
    pub log_byte: f64,
    /// One trace that X-Ray records.
    pub trace: f64,
}

impl Prices {
    /// Returns the price of a unit, for functions on arm64 or else on x86_64.
    pub fn of_unit(&self, unit: Unit, arm64: bool) -> f64 {
        match unit {
            Unit::StandardTransition => self.standard_transition,
            Unit::ExpressRequest => self.express_request,
            Unit::ExpressGbSecond => self.express_gb_second,
            Unit::LambdaRequest => self.lambda_request,
            Unit::LambdaGbSecond if arm64 => self.lambda_gb_second_arm64,
            Unit::LambdaGbSecond => self.lambda_gb_second_x86_64,
            Unit::LambdaDiskGbSecond => self.lambda_disk_gb_second,
            Unit::DynamoDbWrite => self.dynamodb_write,
            Unit::DynamoDbRead => self.dynamodb_read,
            Unit::DynamoDbStreamRead => self.dynamodb_stream_read,
            Unit::S3Put | Unit::S3List => self.s3_put,
            Unit::S3Get => self.s3_get,
            Unit::SqsRequest => self.sqs_request,
            Unit::SnsRequest => self.sns_request,
            Unit::EventBridgeEvent => self.eventbridge_event,
            Unit::SchedulerInvocation => self.scheduler_invocation,
            Unit::LogByte => self.log_byte,
            Unit::Trace => self.trace,
        }
    }
}

/// US East (N. Virginia).
pub const US_EAST_1: Prices = Prices {
    region: "us-east-1",
    dated: "2026-11-28",
    sources: [
        "https://aws.amazon.com/step-functions/pricing/",
        "https://aws.amazon.com/lambda/pricing/",
        "https://aws.amazon.com/dynamodb/pricing/on-demand/",
        "https://aws.amazon.com/s3/pricing/",
        "https://aws.amazon.com/dynamodb/pricing/",
        "https://aws.amazon.com/sqs/pricing/",
        "https://aws.amazon.com/sns/pricing/",
        "https://aws.amazon.com/eventbridge/pricing/",
        "https://aws.amazon.com/cloudwatch/pricing/",
        "https://aws.amazon.com/xray/pricing/",
    ],
    standard_transition: 25.0e-6,
    express_request: 1.0e-6,
    express_gb_second: 16.67e-6,
    lambda_request: 0.20e-6,
    lambda_gb_second_x86_64: 16.6667e-6,
    lambda_gb_second_arm64: 13.3334e-6,
    lambda_disk_gb_second: 0.0309e-6,
    dynamodb_write: 0.625e-6,
    dynamodb_read: 0.125e-6,
    s3_put: 5.0e-6,
    s3_get: 0.4e-6,
    dynamodb_stream_read: 0.2e-6,
    sqs_request: 0.4e-6,
    sns_request: 0.5e-6,
    eventbridge_event: 1.0e-6,
    scheduler_invocation: 1.0e-6,
    log_byte: 0.5 / 1_073_741_824.0,
    trace: 5.0e-6,
};
