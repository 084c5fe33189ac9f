//! What is written inside a macro's parentheses: `name`, `name = value` and `name(..)`, with commas
//! between.

mod list;
mod value;

pub(crate) use list::{Entry, Given, Options};
pub(crate) use value::{choice, duration, expr, integer, list, parsed, single_ident, string};
