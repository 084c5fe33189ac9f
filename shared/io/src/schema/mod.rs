//! Columns of row types, and reading rows from columns.

mod decode;
mod rows;
mod trace;

pub(crate) use decode::{decode_rows, error_text};
pub(crate) use rows::{Cell, RowColumns, row_columns};
pub use trace::schema_of;
