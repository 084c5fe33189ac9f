//! Numbers of things.

/// A number of something, such as `1 asset` or `31 partitions`.
pub fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}
