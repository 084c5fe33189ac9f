//! Selections that say nothing, or name what is not there.

use std::{fmt, ops::Range};

use crate::{
    graph::AssetGraph,
    nearest::{nearest, or_list},
    selection::{attribute, correct},
};

/// A selection that is refused: what is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSelection {
    text: String,
    span: Range<usize>,
    problem: SelectionProblem,
    /// The whole selection as it was probably meant.
    corrected: Option<String>,
}

/// What is wrong with a selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionProblem {
    /// There is nothing in it.
    #[error("the selection is empty")]
    Empty,
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What should stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A bare key is part of a larger expression.
    #[error("a key in an expression is written with `key:`")]
    BareKey,
    /// A word before a `:` is not an attribute.
    #[error("`{name}:` is not something assets can be selected by")]
    UnknownAttribute {
        /// The word.
        name: String,
    },
    /// A value that an attribute does not have.
    #[error("`{attribute}:` takes {takes}, not {found}")]
    InvalidValue {
        /// The attribute.
        attribute: &'static str,
        /// What it takes.
        takes: &'static str,
        /// What was given.
        found: String,
    },
    /// A parenthesis is not closed.
    #[error("this parenthesis is not closed")]
    UnclosedParenthesis,
    /// A quote is not closed.
    #[error("this quote is not closed; a quoted value has no `\\` and no line break")]
    UnclosedQuote,
    /// Parentheses in parentheses in parentheses.
    #[error("the expression is nested more than {limit} deep")]
    TooDeep {
        /// How deep it may be.
        limit: usize,
    },
    /// An attribute that the declarations know nothing about.
    #[error("assets cannot be selected by `{attribute}:` here")]
    Unsupported {
        /// The attribute.
        attribute: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// A bare key names no asset.
    #[error("there is no asset `{key}`")]
    UnknownKey {
        /// What was named.
        key: String,
        /// The keys most like it.
        nearest: Vec<String>,
    },
}

impl SelectionProblem {
    pub(super) fn unknown_key(key: &str, graph: &AssetGraph) -> Self {
        let nearest = nearest(key, graph.keys().map(|key| key.as_str()));
        Self::UnknownKey {
            key: key.to_owned(),
            nearest: nearest.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl InvalidSelection {
    pub(super) fn new(text: &str, span: Range<usize>, problem: SelectionProblem) -> Self {
        Self {
            text: text.to_owned(),
            span,
            problem,
            corrected: None,
        }
    }

    /// Adds the whole selection as it was probably meant, if that can be told.
    pub(super) fn with_correction(mut self) -> Self {
        self.corrected = correct::correct(&self.text);
        self
    }

    /// Whether the text is an expression all the same, so that it is not to be read in another way.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.problem, SelectionProblem::Unsupported { .. })
    }

    /// The selection as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which bytes of [`Self::text`] are at fault. At the end it is empty.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What is wrong, as data.
    pub fn problem(&self) -> &SelectionProblem {
        &self.problem
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        self.problem.to_string()
    }

    /// The whole selection as it was probably meant. It parses.
    pub fn corrected(&self) -> Option<&str> {
        self.corrected.as_deref()
    }

    /// What to write instead.
    pub fn help(&self) -> Option<String> {
        match &self.problem {
            SelectionProblem::Empty => {
                Some("write `*` for all assets, or the key of an asset".to_owned())
            }
            SelectionProblem::Unsupported { instead, .. } => Some((*instead).to_owned()),
            SelectionProblem::UnknownKey { nearest, .. } if nearest.is_empty() => {
                Some("write `key:\"...*\"` to select by a part of the key".to_owned())
            }
            SelectionProblem::UnknownKey { nearest, .. } => {
                Some(format!("did you mean {}?", or_list(nearest)))
            }
            SelectionProblem::UnknownAttribute { .. } if self.corrected.is_none() => {
                Some(format!("select by {}", or_list(&attribute::SUPPORTED)))
            }
            SelectionProblem::TooDeep { .. } => Some("take parentheses away".to_owned()),
            _ => self
                .corrected
                .as_ref()
                .map(|corrected| format!("did you mean `{corrected}`?")),
        }
    }

    /// The text with the fault underlined, the message, and the help: several lines for a terminal.
    ///
    /// ```
    /// use precip_core::selection::Selection;
    ///
    /// let refusal = Selection::parse("group:raw & kind:s3").unwrap_err();
    /// assert_eq!(
    ///     refusal.underlined(),
    ///     "group:raw & kind:s3\n\
    ///      \u{20}         ^ expected `and`, `or` or the end, found `&`\n\
    ///      help: did you mean `group:raw and kind:s3`?",
    /// );
    /// ```
    pub fn underlined(&self) -> String {
        let shown = |text: &str| text.replace(char::is_control, " ");
        let before = self.text[..self.span.start].chars().count();
        let marked = self.text[self.span.clone()].chars().count().max(1);
        let (indent, mark) = (" ".repeat(before), "^".repeat(marked));
        let help = self
            .help()
            .map(|help| format!("\nhelp: {help}"))
            .unwrap_or_default();
        format!(
            "{}\n{indent}{mark} {}{help}",
            shown(&self.text),
            self.message()
        )
    }
}

impl fmt::Display for InvalidSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "selection `{}`: {}", self.text, self.message())?;
        self.help().map_or(Ok(()), |help| write!(f, ": {help}"))
    }
}

impl std::error::Error for InvalidSelection {}
