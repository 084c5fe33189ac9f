//! The limit on the size of a record.

use serde::Serialize;

use crate::state::{StateError, StateErrorKind};

/// The maximum size of a record as JSON: 256 KiB. DynamoDB holds 400 KB an item; the same
/// limit holds everywhere, so that what works on a laptop works on AWS.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// Encodes a record as JSON.
///
/// # Errors
/// `TooLarge` when it exceeds [`MAX_RECORD_BYTES`]. The message names `subject`.
pub fn record_json<T: Serialize>(
    record: &T,
    subject: impl Fn() -> String,
) -> Result<String, StateError> {
    let json = serde_json::to_string(record).map_err(|source| {
        StateError::new(
            StateErrorKind::Conflict,
            format!("the record of {} cannot be written as JSON", subject()),
        )
        .with_source(source)
    })?;
    if json.len() > MAX_RECORD_BYTES {
        return Err(StateError::new(
            StateErrorKind::TooLarge,
            format!(
                "the record of {} takes {} KiB, and at most {} KiB fit: keep large values out of \
                 its metadata; store them as data and record their location",
                subject(),
                json.len().div_ceil(1024),
                MAX_RECORD_BYTES / 1024,
            ),
        ));
    }
    Ok(json)
}
