//! The calls of DynamoDB: capacity counted, unprocessed parts asked for again, errors of the port.

mod batch;
mod op;
mod patience;
mod query;
mod read;
mod table;
mod transact;
mod write;

#[cfg(test)]
mod tests;

pub(super) use op::{Guard, Op, Transacted, Written};
pub(super) use patience::Patience;
pub(super) use query::Query;
pub(super) use table::{REQUESTS_AT_ONCE, Table};
pub(super) use transact::TRANSACT_AT_ONCE;
