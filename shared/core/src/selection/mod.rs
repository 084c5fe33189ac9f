//! Asset selections: a small language that says which assets are meant, such as
//! `group:raw and not tag:"pii"` or `+daily_flights`.
//!
//! It is Dagster's selection language, down to its oldest form:
//!
//! | written | selects |
//! |---|---|
//! | `*` | every asset that is made here |
//! | `raw/flights` | the asset with this key; refused when there is none |
//! | `+x`, `++x`, `*x`, `x+`, `x*` | a key with its parents, two levels, all that is upstream; its children, all that is downstream |
//! | `key:a*` | assets whose key fits the pattern; `*` is any part of a key |
//! | `+key:a`, `2+key:a`, `key:a+`, `key:a+1` | with everything upstream, two levels, everything downstream, one level |
//! | `group:"raw"`, `tag:"k"="v"`, `owner:"team:data"`, `kind:"s3"` | by label; `group:"r*"` is a pattern |
//! | `kind:<null>` | without a kind |
//! | `is:external`, `is:materializable` | by who makes it |
//! | `partitions:time` | by partitions: `none`, `static`, `dynamic`, `time`, `multipartitions` |
//! | `A and B`, `A or B`, `not A`, `(A)` | both, either, all but |
//! | `roots(A)`, `sinks(A)` | those of A with nothing of A upstream; downstream |
//!
//! A value stands in double quotes unless it is letters, digits, `_` and `/` alone. A bare key, or a
//! key with `+` or `*` around it, cannot be a part of a larger expression: write `key:a or key:b`.
//!
//! Note the two meanings of `+`: beside a bare key it is one level, beside anything else every level.

mod attribute;
mod clause;
mod correct;
mod display;
mod error;
mod expr;
mod lexer;
mod parser;
mod pattern;
mod resolve;
mod text;

#[cfg(test)]
mod tests;

pub use error::{InvalidSelection, SelectionProblem};
pub use text::Selection;
