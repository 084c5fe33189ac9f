//! IO managers of Precip: what an asset's function may return or take, and where its data lives.
//!
//! An asset's function returns plain Rust values. [`IntoAsset`] says which: a `Vec` of rows (any struct
//! with serde's `Serialize` and `Deserialize`), a [`Table`], [`Json`], text, bytes or a number. The
//! asset's IO manager stores the value; a downstream function takes it back as any type that
//! [`FromAsset`] is implemented for and that [`LoadFrom`] allows for the upstream asset's output.
//!
//! [`ObjectStoreIoManager`] keeps data as Parquet, CSV or JSON files in a folder or a bucket, and
//! [`MemoryIoManager`] keeps it for a test.
//!
//! # An IO manager of your own
//!
//! Two functions: store a value somewhere that is the attempt's own, and load it by the pointer that
//! was given back. This one keeps text in a table of a database that is a map here.
//!
//! ```
//! use std::{collections::BTreeMap, sync::Mutex};
//! use precip_engine::{asset::AssetValue, io::{Address, IoError, IoManager, LoadRequest, Stored}};
//! use precip_io::Value;
//!
//! #[derive(Default)]
//! struct Notes(Mutex<BTreeMap<String, String>>);
//!
//! #[async_trait::async_trait]
//! impl IoManager for Notes {
//!     async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
//!         let Ok(Value::Text(text)) = value.downcast() else {
//!             let message = format!("`{}` is not text: return `String`", address.asset);
//!             return Err(IoError::Unsupported { message });
//!         };
//!         let Address { asset, partition, run, attempt } = address;
//!         let pointer = format!("{asset} {partition:?} {run} {attempt}");
//!         self.0.lock().unwrap().insert(pointer.clone(), text);
//!         Ok(Stored { pointer, metadata: Default::default() })
//!     }
//!
//!     async fn load(&self, _: &Address, pointer: &str, _: &LoadRequest) -> Result<AssetValue, IoError> {
//!         let text = self.0.lock().unwrap().get(pointer).cloned();
//!         let text = text.ok_or(IoError::NotFound { pointer: pointer.to_owned() })?;
//!         Ok(Value::Text(text).into())
//!     }
//! }
//! ```
//!
//! The feature `conformance` has the checks that the built-in managers pass, for yours to pass too.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod convert;
mod files;
mod format;
mod manager;
mod render;
pub mod returns;
pub mod schema;
mod table;
mod value;

pub use convert::{ConvertError, FromAsset, IntoAsset, Json, LoadFrom, Partitions, RowOf, Scalar};
pub use files::{Files, FilesError};
pub use format::{ParquetCompression, ParquetOptions, ParquetStatistics, TableFormat};
pub use manager::{HiveLayout, InvalidLocation, MemoryIoManager, ObjectStoreIoManager};
#[cfg(feature = "s3")]
pub use manager::{S3Credentials, S3Keys};
pub use render::Grid;
pub use returns::{AssetReturn, CheckReturn, MultiAssetReturn, OutputAt, PartReturn};
pub use table::Table;
pub use value::{Form, Value};
