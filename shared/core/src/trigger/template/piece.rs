//! The pieces of a template.

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trigger) enum Piece {
    /// Exactly these characters.
    Literal(String),
    /// One or more characters without `/`, or a time in a format.
    Value {
        name: String,
        format: Option<Vec<FormatPart>>,
    },
    /// Any characters without `/`, or none.
    Any,
    /// Any characters, or none.
    Deep,
}

/// One part of a time format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trigger) enum FormatPart {
    /// Exactly these characters.
    Literal(String),
    /// A directive of `strftime` with a fixed number of digits.
    Digits { directive: char, count: usize },
}

impl FormatPart {
    /// The supported directives, with the number of digits of each.
    pub(super) const DIRECTIVES: [(char, usize); 8] = [
        ('Y', 4),
        ('y', 2),
        ('m', 2),
        ('d', 2),
        ('j', 3),
        ('H', 2),
        ('M', 2),
        ('S', 2),
    ];
}
