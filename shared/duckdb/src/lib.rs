//! DuckDB for Precip: [`DuckDbIoManager`] keeps assets as tables of a DuckDB database, and
//! [`sql_asset`](macro@sql_asset) declares assets that are queries.
//!
//! It is a separate crate because compiling DuckDB takes half an hour of one processor: only projects that use it
//! wait for it.
//!
//! ```toml
//! precip-duckdb = { version = "0.1", features = ["bundled"] }
//! ```
//!
//! Without `bundled`, the crate links to DuckDB's library in the folder that `DUCKDB_LIB_DIR` names. Without the
//! default feature `engine`, it has no DuckDB at all: assets that are queries can be declared and planned, but
//! running one is an error. That is for functions of a deployment that run no queries.

#[cfg(feature = "engine")]
mod appender;
#[cfg(feature = "engine")]
mod database;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod load;
#[cfg(feature = "engine")]
mod manager;
#[cfg(feature = "engine")]
mod names;
mod query;
#[cfg(feature = "engine")]
mod session;
#[cfg(feature = "engine")]
mod store;
#[cfg(feature = "engine")]
mod types;

#[cfg(feature = "engine")]
pub use manager::DuckDbIoManager;
#[doc = include_str!("../docs/sql_asset.md")]
pub use precip_macros::sql_asset;
pub use query::{FromQuery, Query};

/// The guide about this crate, whose examples run as tests.
#[cfg(all(doctest, feature = "engine"))]
#[doc = include_str!("../../../docs/data-duckdb.md")]
mod guide {}

/// Items that generated code uses.
#[doc(hidden)]
pub mod __private {
    pub use precip_engine::asset::{AssetContext, AssetError};
    pub use precip_io::TableStream;
}
