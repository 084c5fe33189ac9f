//! The columns of a row type, and rows read back from columns.

mod decode;
mod rows;
mod trace;

pub(crate) use decode::{decode, explain};
pub(crate) use rows::{Cell, RowColumns, row_columns};
pub use trace::schema_of;
