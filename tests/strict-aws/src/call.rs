//! [`Call`], and the hook that is asked at each.

use std::time::Duration;

/// The services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// S3.
    S3,
}

/// A call of the SDK. A repetition by the SDK is a call of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The number of the call, from 1.
    pub number: u64,
    /// The service.
    pub service: Service,
    /// The operation, such as `UpdateItem` or `GetObject`.
    pub operation: String,
    /// The body of the request.
    pub body: Vec<u8>,
}

/// The moments of a call at which the hook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The request has not arrived: the call has had no effect.
    Before,
    /// The call has had its effect: the answer has not arrived.
    After,
}

/// What the hook lets happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reaction {
    /// The call goes on.
    #[default]
    Proceed,
    /// The connection breaks.
    Disconnect,
    /// The call never returns. Drop the caller, as a killed function is dropped.
    Hang,
    /// The call goes on later.
    Delay(Duration),
}

/// A call that AWS refused because the request was wrong, whatever was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The operation.
    pub operation: String,
    /// The error code.
    pub code: String,
    /// The error message.
    pub message: String,
}
