//! The built-in IO managers.

mod durable;
mod error;
mod gzip;
mod layout;
mod local_files;
pub(crate) mod location;
mod memory;
mod object_store;

pub use location::InvalidLocation;
pub use memory::MemoryIoManager;
pub use object_store::ObjectStoreIoManager;
