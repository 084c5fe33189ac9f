//! [`Display`].

/// A place where progress is shown.
pub(crate) trait Display: Send + Sync {
    /// Shows how many (step, partition) pairs are finished, out of how many.
    fn show_count(&self, done: u64, total: u64);

    /// Shows a line of text.
    fn show_line(&self, text: &str);
}
