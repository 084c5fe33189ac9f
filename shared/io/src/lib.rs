//! IO managers of Precip, and the conversions between assets' data and Rust types.
//!
//! An asset's function returns a plain Rust value that implements [`IntoAsset`]: a `Vec` of rows (any struct
//! with serde's `Serialize` and `Deserialize`), a [`Table`], [`Json`], text, bytes or a number. The
//! asset's IO manager stores the value; a downstream function reads it as any type that
//! [`FromAsset`] is implemented for and that [`LoadFrom`] allows for the upstream asset's output.
//!
//! [`ObjectStoreIoManager`] keeps data as Parquet, CSV or JSON files in a folder or a bucket, and
//! [`MemoryIoManager`] keeps it for a test.
//!
//! The guide `docs/data-custom.md` shows how to write an IO manager. The feature `conformance` adds the test suite
//! that the built-in managers pass, for yours to pass too.

pub mod cast;
pub mod checks;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod convert;
mod files;
mod format;
mod manager;
mod render;
pub mod returns;
pub mod schema;
mod stream;
mod strict;
mod table;
pub mod tables;
mod value;

pub use convert::{ConvertError, FromAsset, IntoAsset, Json, LoadFrom, Partitions, RowOf, Scalar};
pub use files::{Files, FilesError};
pub use format::{ParquetCompression, ParquetOptions, ParquetStatistics, TableFormat};
pub use manager::{HiveLayout, InvalidLocation, MemoryIoManager, ObjectStoreIoManager};
#[cfg(feature = "s3")]
pub use manager::{S3Credentials, S3Keys};
pub use render::Grid;
pub use returns::{AssetReturn, CheckReturn, MultiAssetReturn, OutputAt, PartReturn};
pub use stream::TableStream;
pub use table::Table;
pub use value::{Form, Value};
