//! The options inside a macro's parentheses: `name`, `name = value` and `name(..)`, separated by
//! commas.

mod list;
mod value;

pub(crate) use list::{Entry, OptionValue, Options, ValueOrGroup};
pub(crate) use value::{
    any_expr, asset_path, asset_paths, duration_literal, integer_literal, list_elements, one_of,
    parsed_literal, single_ident, string_literal,
};
