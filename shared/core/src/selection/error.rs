//! Errors of selections.

use std::{fmt, ops::Range};

use crate::{
    graph::AssetGraph,
    nearest::nearest_names,
    prose::{or_list, suggest},
    selection::{attribute, correct},
};

/// An invalid selection: the reason, its location, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSelection {
    text: String,
    span: Range<usize>,
    kind: InvalidSelectionKind,
    /// The whole selection with its mistakes corrected.
    corrected: Option<String>,
}

/// The reason why a selection is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSelectionKind {
    /// An empty selection.
    #[error("the selection is empty")]
    Empty,
    /// An unexpected token.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// A description of the expected tokens.
        expected: &'static str,
        /// The token found.
        found: String,
    },
    /// A bare key in a larger expression.
    #[error("a key in an expression is written with `key:`")]
    BareKey,
    /// An unknown word before a `:`.
    #[error("assets have no attribute `{name}:`")]
    UnknownAttribute {
        /// The unknown word.
        name: String,
    },
    /// An invalid value of an attribute.
    #[error("`{attribute}:` takes {takes}, not {found}")]
    InvalidValue {
        /// The attribute.
        attribute: &'static str,
        /// A description of the valid values.
        takes: &'static str,
        /// The given value.
        found: String,
    },
    /// An unclosed parenthesis.
    #[error("this parenthesis is not closed")]
    UnclosedParenthesis,
    /// An unclosed quote.
    #[error("this quote is not closed; a quoted value cannot contain `\\` or a line break")]
    UnclosedQuote,
    /// Parentheses nested too deeply.
    #[error("the expression is nested more than {limit} levels deep")]
    TooDeep {
        /// The maximum depth.
        limit: usize,
    },
    /// An attribute of Dagster's language that declarations do not answer.
    #[error("assets cannot be selected by `{attribute}:` here")]
    Unsupported {
        /// The attribute.
        attribute: &'static str,
        /// Advice on what to do instead.
        instead: &'static str,
    },
    /// A bare key without an asset.
    #[error("there is no asset `{key}`")]
    UnknownKey {
        /// The unknown key.
        key: String,
        /// The most similar keys.
        nearest: Vec<String>,
    },
}

impl InvalidSelectionKind {
    pub(super) fn unknown_key(key: &str, graph: &AssetGraph) -> Self {
        let similar = nearest_names(key, graph.keys().map(|key| key.as_str()));
        Self::UnknownKey {
            key: key.to_owned(),
            nearest: similar.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl InvalidSelection {
    pub(super) fn new(text: &str, span: Range<usize>, kind: InvalidSelectionKind) -> Self {
        Self {
            text: text.to_owned(),
            span,
            kind,
            corrected: None,
        }
    }

    /// Adds a corrected selection, if there is one.
    pub(super) fn with_correction(mut self) -> Self {
        self.corrected = correct::correct_text(&self.text);
        self
    }

    /// Returns true if the text is nevertheless a well-formed expression, which must not be parsed
    /// as another form.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.kind, InvalidSelectionKind::Unsupported { .. })
    }

    /// Returns the selection as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the byte range of the fault in [`Self::text`]. It is empty at the end of the text.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the reason.
    pub fn kind(&self) -> &InvalidSelectionKind {
        &self.kind
    }

    /// Returns the reason as a message.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }

    /// Returns the whole selection with its mistakes corrected. It is well formed.
    pub fn correction(&self) -> Option<&str> {
        self.corrected.as_deref()
    }

    /// Returns advice on what to write instead.
    pub fn help(&self) -> Option<String> {
        // Specific advice first, otherwise the corrected selection.
        match &self.kind {
            InvalidSelectionKind::Empty => {
                Some("write `*` for all assets, or the key of an asset".to_owned())
            }
            InvalidSelectionKind::Unsupported { instead, .. } => Some((*instead).to_owned()),
            InvalidSelectionKind::UnknownKey { nearest, .. } => {
                Some(suggest(nearest).unwrap_or_else(|| {
                    "write `key:\"...*\"` to select by a part of the key".to_owned()
                }))
            }
            InvalidSelectionKind::UnknownAttribute { .. } if self.corrected.is_none() => {
                Some(format!("select by {}", or_list(&attribute::SUPPORTED)))
            }
            InvalidSelectionKind::TooDeep { .. } => Some("remove some parentheses".to_owned()),
            _ => self
                .corrected
                .as_ref()
                .map(|corrected| format!("did you mean `{corrected}`?")),
        }
    }

    /// Returns the text with the fault underlined, the message and the help, as lines for a
    /// terminal.
    ///
    /// ```
    /// use precip_core::selection::Selection;
    ///
    /// let invalid = Selection::parse("group:raw & kind:s3").unwrap_err();
    /// assert_eq!(
    ///     invalid.to_underlined_text(),
    ///     "group:raw & kind:s3\n\
    ///      \u{20}         ^ expected `and`, `or` or the end, found `&`\n\
    ///      help: did you mean `group:raw and kind:s3`?",
    /// );
    /// ```
    pub fn to_underlined_text(&self) -> String {
        // Control characters would break the alignment of the mark.
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
