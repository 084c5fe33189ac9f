//! [`Display`].

/// Where progress is shown.
pub trait Display: Send + Sync {
    /// So many of so many are done, or given up.
    fn count(&self, done: u64, total: u64);

    /// Something that is worth a line of its own.
    fn line(&self, text: &str);
}
