//! Counts in words.

/// Formats a count with its noun, such as `1 asset` or `31 partitions`.
pub(crate) fn format_count(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
