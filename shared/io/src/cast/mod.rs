//! The table of allowed casts, for files, databases and queries alike: a cast loses nothing, or is refused.
//!
//! [`cast_rule`] decides by the two types alone, and [`cast_column`] casts a column by it:
//!
//! | from | to | rule |
//! |---|---|---|
//! | a number | a number that holds every value: `i32` as `i64` or `f64`, `f32` as `f64` | allowed |
//! | a number | another number: `i64` as `f64`, `f64` as `i32`, `u64` as `i64` | each value is checked |
//! | a moment | a moment, whatever zone either has; a coarser unit is checked | allowed |
//! | a date-time without a zone | the same in another unit; a coarser unit is checked | allowed |
//! | a time of day, a duration, a date | the same in another unit; a coarser unit is checked | allowed |
//! | text, bytes | the same in another encoding (large, view, dictionary) | allowed |
//! | a decimal | text: its digits | allowed |
//! | lists, structs, maps | the same, with parts that are allowed | as their parts |
//! | anything else | | refused |
//!
//! Numbers, texts, booleans, dates, times of day, date-times and moments have no unit in common: `2` is not `true`,
//! `01067` is no number, and which date a moment has depends on a time zone.

mod column;
mod error;
mod rule;
mod rust_type;
mod text;

pub use column::{Unmatched, cast_column};
pub(crate) use column::{below_nulls, shorten};
pub use error::{CastError, CastProblem};
pub use rule::{CastRule, cast_rule};
use rust_type::rust_type;
pub(crate) use text::is_text_of;
pub use text::{TextError, parse_texts};

#[cfg(test)]
pub(crate) mod tests;
