//! The oldest form of a selection: one bare key with `+` and `*` around it.

use std::{fmt, ops::Range};

use crate::selection::expr::Depth;

/// A clause like `*x`, `++x+` or `x*`: a key that must exist. Each `+` is one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) key: String,
    /// The byte range of the key in the text.
    pub(super) span: Range<usize>,
    pub(super) up: Depth,
    pub(super) down: Depth,
}

impl Clause {
    /// Parses a clause, or returns `None` if the text does not have this form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let leading = text.len() - text.trim_start_matches(is_space).len();
        let clause = text.trim_matches(is_space);
        let (up, rest) = split_ancestors(clause);
        let key = rest.trim_end_matches('*').trim_end_matches('+');
        // `key` ends before the trailing `+` and the trailing `*`, in this order.
        let down = match &rest[key.len()..] {
            after if after.ends_with("**") => return None,
            after if after.ends_with('*') => Depth::All,
            after => parse_levels(after),
        };
        let is_key_char =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '[' | ']' | '?' | '_' | '-');
        if key.is_empty() || !key.chars().all(is_key_char) {
            return None;
        }
        let start = leading + (clause.len() - rest.len());
        Some(Self {
            key: key.to_owned(),
            span: start..start + key.len(),
            up,
            down,
        })
    }
}

fn split_ancestors(clause: &str) -> (Depth, &str) {
    if let Some(rest) = clause.strip_prefix('*') {
        return (Depth::All, rest.trim_start_matches('+'));
    }
    let rest = clause.trim_start_matches('+');
    (parse_levels(&clause[..clause.len() - rest.len()]), rest)
}

fn parse_levels(pluses: &str) -> Depth {
    Depth::Edges(u32::try_from(pluses.len()).unwrap_or(u32::MAX))
}

/// Returns true for white space in Python, which includes four more control characters than
/// Unicode.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let around = |depth| match depth {
            Depth::All => "*".to_owned(),
            Depth::Edges(edges) => "+".repeat(edges as usize),
        };
        write!(f, "{}{}{}", around(self.up), self.key, around(self.down))
    }
}
