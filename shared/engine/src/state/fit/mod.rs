//! Cutting of what people and functions write, so that a record fits its limit.
//!
//! Lengths are those of the text as JSON, in which a record is stored: a control character takes six
//! bytes. Nothing here keeps what is cut off; the caller does, and passes a `note` that says where.

mod metadata;
mod text;

#[cfg(test)]
mod tests;

pub use metadata::{cut_metadata, metadata_fits};
pub use text::{cut_text, json_len};

use crate::{
    asset::AssetError,
    state::{CheckEvaluation, FailedAttempt},
};

/// The maximum length of one text of a record: the message of an error or one of its causes, the
/// description of a check's finding, the reason of a tick. 16 KiB is some 200 lines.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The maximum length of an error's message and its causes together.
pub const MAX_ERROR_BYTES: usize = 64 * 1024;
/// The maximum length of the metadata of a materialization or an evaluation. With the checks of an op
/// it leaves half of a record for versions and pointers.
pub const MAX_METADATA_BYTES: usize = 64 * 1024;
/// The maximum length of what all checks of an op found on a partition.
pub const MAX_FINDINGS_BYTES: usize = 64 * 1024;

/// Returns `true` if an error fits a record as it is.
pub fn error_fits(error: &AssetError) -> bool {
    let texts =
        || std::iter::once(error.message()).chain(error.causes().iter().map(String::as_str));
    texts().all(|text| json_len(text) <= MAX_TEXT_BYTES)
        && texts().map(json_len).sum::<usize>() <= MAX_ERROR_BYTES
}

/// Returns the error with its message and its causes cut to fit a record. Causes beyond the limit are
/// left out, and counted in a last one.
pub fn cut_error(error: &AssetError, note: &str) -> AssetError {
    let (message, causes) = cut_messages(error.message(), error.causes(), note);
    AssetError::with_kind(error.kind(), message).with_causes(causes)
}

fn cut_messages(message: &str, causes: &[String], note: &str) -> (String, Vec<String>) {
    let message = cut_text(message, MAX_TEXT_BYTES, note);
    let mut left = MAX_ERROR_BYTES.saturating_sub(json_len(&message) + 2 * MAX_TEXT_BYTES);
    let mut kept = Vec::new();
    for (index, cause) in causes.iter().enumerate() {
        // The last of the limit holds one more cause, cut, and the count of the others.
        if left == 0 {
            kept.push(format!("({} more causes{note})", causes.len() - index));
            break;
        }
        let cause = cut_text(cause, MAX_TEXT_BYTES, note);
        // Empty causes count too: each takes quotes and a comma.
        left = left.saturating_sub(json_len(&cause) + 3);
        kept.push(cause);
    }
    (message, kept)
}

impl FailedAttempt {
    /// Cuts the message and the causes to fit a record.
    #[must_use]
    pub fn cut_to_fit(self, note: &str) -> Self {
        let (message, causes) = cut_messages(&self.message, &self.causes, note);
        Self {
            message,
            causes,
            ..self
        }
    }
}

impl CheckEvaluation {
    /// Returns `true` if what the check found is as small as it has to be when `count` checks share a
    /// record.
    pub fn finding_fits(&self, count: usize) -> bool {
        let (description, metadata) = finding_limits(count);
        let text = self.description.as_deref().unwrap_or_default();
        json_len(text) <= description && metadata_fits(&self.metadata, metadata)
    }

    /// Cuts what the check found to the size that it has to have when `count` checks share a record.
    #[must_use]
    pub fn cut_to_fit(self, count: usize, note: &str) -> Self {
        let (description, metadata) = finding_limits(count);
        Self {
            description: self
                .description
                .map(|text| cut_text(&text, description, note)),
            metadata: cut_metadata(self.metadata, metadata, note),
            ..self
        }
    }
}

/// Returns the limits of a check's description and of its metadata.
fn finding_limits(count: usize) -> (usize, usize) {
    let share = MAX_FINDINGS_BYTES / count.max(1);
    ((share / 4).min(MAX_TEXT_BYTES), share - share / 4)
}
