//! The oldest form of a selection: one bare key, with `+` and `*` around it.

use std::{fmt, ops::Range};

use crate::selection::expr::Depth;

/// `*x`, `++x+`, `x*`: a key that has to exist. Each `+` is one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) key: String,
    /// Where the key stands in the text.
    pub(super) span: Range<usize>,
    pub(super) up: Depth,
    pub(super) down: Depth,
}

impl Clause {
    /// `None` when the text is not of this form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let start = text.len() - text.trim_start_matches(is_space).len();
        let clause = text.trim_matches(is_space);
        let (up, rest) = ancestors(clause);
        let key = rest.trim_end_matches('*').trim_end_matches('+');
        let down = match &rest[key.len()..] {
            after if after.ends_with("**") => return None,
            after if after.ends_with('*') => Depth::All,
            after => levels(after),
        };
        let named =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '[' | ']' | '?' | '_' | '-');
        if key.is_empty() || !key.chars().all(named) {
            return None;
        }
        let start = start + (clause.len() - rest.len());
        Some(Self {
            key: key.to_owned(),
            span: start..start + key.len(),
            up,
            down,
        })
    }
}

fn ancestors(clause: &str) -> (Depth, &str) {
    if let Some(rest) = clause.strip_prefix('*') {
        return (Depth::All, rest.trim_start_matches('+'));
    }
    let rest = clause.trim_start_matches('+');
    (levels(&clause[..clause.len() - rest.len()]), rest)
}

fn levels(pluses: &str) -> Depth {
    Depth::Edges(u32::try_from(pluses.len()).unwrap_or(u32::MAX))
}

/// White space as Python strips it, which counts four control characters more than Unicode does.
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
