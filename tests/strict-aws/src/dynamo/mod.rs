//! DynamoDB by its JSON protocol.

mod action;
mod error;
mod expression;
mod fields;
mod number;
mod query;
mod read;
mod service;
mod stream;
mod table;
mod transact;
mod units;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use error::Failure;
pub(crate) use service::{Dynamo, Moment};
pub(crate) use table::Table;
pub(crate) use value::item_to_json;
