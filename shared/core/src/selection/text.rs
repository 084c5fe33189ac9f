//! [`Selection`]: a parsed selection.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    graph::{AssetGraph, AssetSet},
    selection::{InvalidSelection, clause::Clause, expr::Expr, parser, resolve::Resolver},
};

/// A selection of assets, independent of a graph. See [the module](self) for the language; a
/// formatted selection parses to one that selects the same assets.
///
/// ```
/// use precip_core::{
///     graph::AssetGraph,
///     selection::Selection,
///     spec::{AssetSpec, DepSpec, OpSpec},
/// };
///
/// let raw = AssetSpec::new("raw/flights".parse()?);
/// let mut daily = AssetSpec::new("daily_flights".parse()?);
/// daily.deps.push(DepSpec::new(raw.key.clone()));
/// let graph = AssetGraph::new(vec![OpSpec::single(raw), OpSpec::single(daily)], vec![])?;
///
/// let selected = Selection::parse("raw/flights+")?.resolve(&graph)?;
/// assert_eq!(selected.len(), 2);
///
/// let invalid = Selection::parse("raw/flihgts+")?.resolve(&graph).unwrap_err();
/// assert_eq!(invalid.message(), "there is no asset `raw/flihgts`");
/// assert_eq!(invalid.help().as_deref(), Some("did you mean `raw/flights`?"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selection {
    /// The text as it was written, for the spans of errors.
    text: String,
    form: Form,
}

/// The two forms of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// One bare key with `+` and `*` around it.
    Clause(Clause),
    /// Anything else.
    Expr(Expr),
}

impl Selection {
    /// Returns the selection of all assets made in the project, `*`.
    pub fn all() -> Self {
        Self {
            text: "*".to_owned(),
            form: Form::Expr(Expr::All),
        }
    }

    /// Parses a selection.
    ///
    /// As in Dagster, text that is not a well-formed expression is parsed as a bare key if
    /// possible, and text that begins with `tag:` as one tag: everything up to the only `=` is its
    /// key, the rest its value.
    ///
    /// # Errors
    /// [`InvalidSelection`], with the location of the fault and what to write instead.
    pub fn parse(text: &str) -> Result<Self, InvalidSelection> {
        let form = match parser::parse_expr(text) {
            Ok(expr) => Form::Expr(expr),
            Err(invalid) if invalid.is_final() => return Err(invalid),
            Err(invalid) => match Clause::parse(text) {
                Some(clause) => Form::Clause(clause),
                None => Form::Expr(loose_tag(text).ok_or(invalid)?),
            },
        };
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// Returns the selected assets of a graph.
    ///
    /// # Errors
    /// [`InvalidSelection`] if a bare key names no asset. Patterns and labels without a match
    /// select nothing.
    pub fn resolve(&self, graph: &AssetGraph) -> Result<AssetSet, InvalidSelection> {
        let resolver = Resolver::new(graph);
        match &self.form {
            Form::Clause(clause) => resolver.resolve_clause(clause, &self.text),
            Form::Expr(expr) => Ok(resolver.resolve_expr(expr)),
        }
    }
}

/// Parses `tag:KEY=VALUE` without quotes.
fn loose_tag(text: &str) -> Option<Expr> {
    let tag = text.strip_prefix("tag:")?;
    let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
    (!value.contains('=')).then(|| Expr::Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    })
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Clause(clause) => clause.fmt(f),
            Form::Expr(expr) => expr.fmt(f),
        }
    }
}

impl FromStr for Selection {
    type Err = InvalidSelection;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Selection {
    type Error = InvalidSelection;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Selection> for String {
    fn from(selection: Selection) -> Self {
        selection.to_string()
    }
}
