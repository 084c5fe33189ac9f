//! The columns of a row type, and rows read back from columns.

mod decode;
mod trace;

pub(crate) use decode::{decode, explain};
pub use trace::schema_of;
