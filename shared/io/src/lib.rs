//! IO managers of Precip: what an asset's function may return or take, and where its data lives.
//!
//! An asset's function returns plain Rust values. [`IntoAsset`] says which: a `Vec` of rows (any struct
//! with serde's `Serialize` and `Deserialize`), a [`Table`], [`Json`], text, bytes or a number. The
//! asset's IO manager stores the value; a downstream function takes it back as any type that
//! [`FromAsset`] is implemented for and that [`LoadFrom`] allows for the upstream asset's output.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod convert;
mod format;
mod manager;
mod render;
pub mod schema;
mod table;
mod value;

pub use convert::{ConvertError, FromAsset, IntoAsset, Json, LoadFrom, Partitions, RowOf, Scalar};
pub use format::TableFormat;
pub use manager::{InvalidLocation, MemoryIoManager, ObjectStoreIoManager};
pub use render::Grid;
pub use table::Table;
pub use value::{Form, Value};
