//! The pieces of a template.

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trigger) enum Piece {
    /// These characters.
    Literal(String),
    /// One or more characters without `/`, or a moment in a form.
    Value {
        name: String,
        format: Option<Vec<FormatPart>>,
    },
    /// Any characters without `/`, or none.
    Any,
    /// Any characters, or none.
    Deep,
}

/// One part of the form of a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::trigger) enum FormatPart {
    /// These characters.
    Literal(String),
    /// A directive of `strftime` that always has the same number of digits.
    Digits { directive: char, count: usize },
}

impl FormatPart {
    /// The directives that can stand in a template, with how many digits each has.
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
