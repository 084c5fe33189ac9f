//! [`InvalidKeyTemplate`]: the error of parsing a template.

use std::ops::Range;

/// A text that is not a template of object keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{template}` is not a template of object keys: {problem}")]
pub struct InvalidKeyTemplate {
    pub(super) template: String,
    pub(super) problem: String,
    pub(super) span: Range<usize>,
}

impl InvalidKeyTemplate {
    /// Returns the position of the error in the template, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the error and what to write instead, without the template.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
