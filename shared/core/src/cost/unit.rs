//! [`Unit`]: everything that AWS bills a deployment for, and [`Amounts`] of it.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// A unit that AWS bills for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// One state transition of a Standard workflow: each state that is entered, and each retry.
    StandardTransition,
    /// The start of one Express workflow.
    ExpressRequest,
    /// One GB-second of an Express workflow.
    ExpressGbSecond,
    /// One invocation of a function.
    LambdaRequest,
    /// One GB-second of a function's memory.
    LambdaGbSecond,
    /// One GB-second of a function's disk beyond 512 MiB.
    LambdaDiskGbSecond,
    /// One write request unit: a write of up to 1 KB. A write whose condition fails is charged as
    /// well, and one in a transaction twice.
    DynamoDbWrite,
    /// One read request unit: a strongly consistent read of up to 4 KB, or two that are not.
    DynamoDbRead,
    /// One read request unit of a table's stream. Those that Lambda makes for a function are free.
    DynamoDbStreamRead,
    /// One PUT, COPY or POST of S3 Standard.
    S3Put,
    /// One GET or HEAD of S3 Standard.
    S3Get,
    /// One LIST of S3 Standard.
    S3List,
    /// One request to a standard queue, of up to 64 KB.
    SqsRequest,
    /// One notification published to a topic, of up to 64 KB.
    SnsRequest,
    /// One event of EventBridge that is not free, of up to 64 KB.
    EventBridgeEvent,
    /// One invocation by EventBridge Scheduler.
    SchedulerInvocation,
    /// One byte of logs that CloudWatch takes in.
    LogByte,
    /// One trace that X-Ray records.
    Trace,
}

impl Unit {
    /// All units, in the order of a bill.
    pub const ALL: [Self; 18] = [
        Self::StandardTransition,
        Self::ExpressRequest,
        Self::ExpressGbSecond,
        Self::LambdaRequest,
        Self::LambdaGbSecond,
        Self::LambdaDiskGbSecond,
        Self::DynamoDbWrite,
        Self::DynamoDbRead,
        Self::DynamoDbStreamRead,
        Self::S3Put,
        Self::S3Get,
        Self::S3List,
        Self::SqsRequest,
        Self::SnsRequest,
        Self::EventBridgeEvent,
        Self::SchedulerInvocation,
        Self::LogByte,
        Self::Trace,
    ];

    /// Returns the name of the AWS service.
    pub fn service(self) -> &'static str {
        match self {
            Self::StandardTransition | Self::ExpressRequest | Self::ExpressGbSecond => {
                "Step Functions"
            }
            Self::LambdaRequest | Self::LambdaGbSecond | Self::LambdaDiskGbSecond => "Lambda",
            Self::DynamoDbWrite | Self::DynamoDbRead | Self::DynamoDbStreamRead => "DynamoDB",
            Self::S3Put | Self::S3Get | Self::S3List => "S3",
            Self::SqsRequest => "SQS",
            Self::SnsRequest => "SNS",
            Self::EventBridgeEvent => "EventBridge",
            Self::SchedulerInvocation => "EventBridge Scheduler",
            Self::LogByte => "CloudWatch",
            Self::Trace => "X-Ray",
        }
    }

    /// Returns the name of the unit, in the plural, next to its [service](Self::service).
    pub fn label(self) -> &'static str {
        match self {
            Self::StandardTransition => "Standard transitions",
            Self::ExpressRequest => "Express requests",
            Self::ExpressGbSecond => "Express GB-seconds",
            Self::LambdaRequest | Self::SchedulerInvocation => "invocations",
            Self::LambdaGbSecond => "GB-seconds of memory",
            Self::LambdaDiskGbSecond => "GB-seconds of disk",
            Self::DynamoDbWrite => "write units",
            Self::DynamoDbRead => "read units",
            Self::DynamoDbStreamRead => "stream read units",
            Self::S3Put => "PUT requests",
            Self::S3Get => "GET requests",
            Self::S3List => "LIST requests",
            Self::SqsRequest | Self::SnsRequest => "requests",
            Self::EventBridgeEvent => "events",
            Self::LogByte => "bytes of logs",
            Self::Trace => "traces",
        }
    }

    /// Returns the name of the amount in JSON.
    pub fn field(self) -> &'static str {
        match self {
            Self::StandardTransition => "standard_transitions",
            Self::ExpressRequest => "express_requests",
            Self::ExpressGbSecond => "express_gb_seconds",
            Self::LambdaRequest => "lambda_requests",
            Self::LambdaGbSecond => "lambda_gb_seconds",
            Self::LambdaDiskGbSecond => "lambda_disk_gb_seconds",
            Self::DynamoDbWrite => "dynamodb_writes",
            Self::DynamoDbRead => "dynamodb_reads",
            Self::DynamoDbStreamRead => "dynamodb_stream_reads",
            Self::S3Put => "s3_puts",
            Self::S3Get => "s3_gets",
            Self::S3List => "s3_lists",
            Self::SqsRequest => "sqs_requests",
            Self::SnsRequest => "sns_requests",
            Self::EventBridgeEvent => "eventbridge_events",
            Self::SchedulerInvocation => "scheduler_invocations",
            Self::LogByte => "log_bytes",
            Self::Trace => "traces",
        }
    }

    /// Returns true when only whole units are billed.
    fn is_whole(self) -> bool {
        !matches!(
            self,
            Self::ExpressGbSecond
                | Self::LambdaGbSecond
                | Self::LambdaDiskGbSecond
                | Self::DynamoDbRead
        )
    }
}

/// An amount of each [`Unit`].
///
/// ```
/// use precip_core::cost::{Amounts, Unit};
///
/// let mut used = Amounts::default();
/// used.add(Unit::S3Put, 2.0);
/// assert_eq!(used.get(Unit::S3Put), 2.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Amounts([f64; Unit::ALL.len()]);

impl Amounts {
    /// Returns the amount of a unit.
    pub fn get(&self, unit: Unit) -> f64 {
        self.0[unit as usize]
    }

    /// Adds to the amount of a unit.
    pub fn add(&mut self, unit: Unit, amount: f64) {
        self.0[unit as usize] += amount;
    }

    /// Adds the amounts of all units.
    pub fn add_all(&mut self, other: &Self) {
        for (own, added) in self.0.iter_mut().zip(other.0) {
            *own += added;
        }
    }

    /// Iterates over the units with an amount, in the order of a bill.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, f64)> {
        let all = Unit::ALL.into_iter().map(|unit| (unit, self.get(unit)));
        all.filter(|(_, amount)| *amount > 0.0)
    }
}

/// Serializes an object with a field for each unit, also for those with no amount.
impl Serialize for Amounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for unit in Unit::ALL {
            let amount = self.get(unit);
            if unit.is_whole() {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of events, below 2^53"
                )]
                let whole = amount.round() as u64;
                map.serialize_entry(unit.field(), &whole)?;
            } else {
                map.serialize_entry(unit.field(), &amount)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Amounts, Unit};

    #[test]
    fn units_are_in_the_order_of_their_amounts() {
        for (index, unit) in Unit::ALL.into_iter().enumerate() {
            assert_eq!(unit as usize, index, "{unit:?}");
        }
    }

    #[test]
    fn whole_units_are_whole_numbers_in_json() {
        let mut used = Amounts::default();
        used.add(Unit::DynamoDbWrite, 3.0);
        used.add(Unit::DynamoDbRead, 0.5);
        let json = serde_json::to_value(used).unwrap();
        assert_eq!(json["dynamodb_writes"], 3);
        assert_eq!(json["dynamodb_reads"], 0.5);
        assert_eq!(json["traces"], 0);
    }
}
