//! Asset selections: a small language to select assets, such as `group:raw and not tag:"pii"` or
//! `+daily_flights`.
//!
//! It is Dagster's selection language, down to its oldest form:
//!
//! | written | selects |
//! |---|---|
//! | `*` | every asset made in the project |
//! | `raw/flights` | the asset with this key, which must exist |
//! | `+x`, `++x`, `*x`, `x+`, `x*` | a key with its parents, two levels, everything upstream; its children, everything downstream |
//! | `key:a*` | assets whose key matches the pattern; `*` is any part of a key |
//! | `+key:a`, `2+key:a`, `key:a+`, `key:a+1` | with everything upstream, two levels, everything downstream, one level |
//! | `group:"raw"`, `tag:"k"="v"`, `owner:"team:data"`, `kind:"s3"` | by label; `group:"r*"` is a pattern |
//! | `kind:<null>` | without a kind |
//! | `is:external`, `is:materializable` | made outside the project; made in it |
//! | `partitions:time` | by partitions: `none`, `static`, `dynamic`, `time`, `multipartitions` |
//! | `A and B`, `A or B`, `not A`, `(A)` | both, either, all but |
//! | `roots(A)`, `sinks(A)` | those of A with nothing of A upstream; downstream |
//!
//! A value needs double quotes unless it consists of letters, digits, `_` and `/`. A bare key, or a
//! key with `+` or `*` around it, cannot be part of a larger expression: write `key:a or key:b`.
//!
//! Note the two meanings of `+`: next to a bare key it is one level, next to anything else every
//! level.

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

pub use error::{InvalidSelection, InvalidSelectionKind};
pub use text::Selection;
