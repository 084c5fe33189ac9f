//! What the template's parts call on values.
#![expect(
    unreachable_pub,
    reason = "the attribute makes a type of each function and copies its visibility"
)]

use std::fmt::Display;

/// A YAML string in double quotes.
#[askama::filter_fn]
pub(super) fn quoted(value: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(serde_json::Value::from(value.to_string()).to_string())
}

/// A YAML string in single quotes, for text that is full of double ones.
#[askama::filter_fn]
pub(super) fn single_quoted(value: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(format!("'{}'", value.to_string().replace('\'', "''")))
}
