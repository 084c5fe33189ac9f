//! The built-in IO managers.

mod durable;
mod error;
mod gzip;
mod hive;
mod layout;
mod local_files;
pub(crate) mod location;
mod memory;
mod object_store;
mod replace;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "s3")]
mod s3_client;
mod staged;
mod streamed;
mod values;

pub use hive::HiveLayout;
pub use location::InvalidLocation;
pub use memory::MemoryIoManager;
pub use object_store::ObjectStoreIoManager;
#[cfg(feature = "s3")]
pub use s3::{S3Credentials, S3Keys};
pub(crate) use values::{builtin_value, rows_error, table_metadata};
use values::{collect_value, value_metadata};
