//! Calls of DynamoDB: they count the consumed capacity, repeat unprocessed parts, and return errors of
//! the port.

mod backoff;
mod batch;
mod op;
mod query;
mod read;
mod table;
mod transact;
mod write;

#[cfg(test)]
mod tests;

pub(super) use op::{Guard, Op, TransactOutcome, WriteOutcome};
pub(super) use query::Query;
pub(super) use table::{REQUESTS_AT_ONCE, Table};
pub(super) use transact::TRANSACT_AT_ONCE;
