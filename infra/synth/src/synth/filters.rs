//! Filters that the template's parts apply to values.
#![expect(
    unreachable_pub,
    reason = "the attribute makes a type of each function and copies its visibility"
)]

use std::fmt::Display;

/// Writes a YAML string in double quotes.
#[askama::filter_fn]
pub(super) fn quoted(value: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(serde_json::Value::from(value.to_string()).to_string())
}

/// Writes a YAML string in single quotes, for text with many double quotes.
#[askama::filter_fn]
pub(super) fn single_quoted(value: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(format!("'{}'", value.to_string().replace('\'', "''")))
}
