//! DuckDB for Precip: [`DuckDbIoManager`] keeps assets as tables of a DuckDB database, and
//! [`sql_asset`](macro@sql_asset) declares assets that are queries.
//!
//! It is a crate of its own because DuckDB takes half an hour of one processor to compile: a project
//! that wants it says so, and no other waits for it.
//!
//! ```toml
//! precip-duckdb = { version = "0.1", features = ["bundled"] }
//! ```
//!
//! Without `bundled`, DuckDB's library is linked to: `DUCKDB_LIB_DIR` names the folder that it is in. Without
//! `engine`, which is there by default, no DuckDB is used at all: assets that are queries are declared and
//! planned, and a program that is to run one says that it cannot. That is for the functions of a deployment
//! that run none.

#[cfg(feature = "engine")]
mod database;
#[cfg(feature = "engine")]
mod error;
#[cfg(feature = "engine")]
mod filling;
#[cfg(feature = "engine")]
mod load;
#[cfg(feature = "engine")]
mod manager;
#[cfg(feature = "engine")]
mod names;
mod query;
#[cfg(feature = "engine")]
mod store;
#[cfg(feature = "engine")]
mod types;

#[cfg(feature = "engine")]
pub use manager::DuckDbIoManager;
#[doc = include_str!("../docs/sql_asset.md")]
pub use precip_macros::sql_asset;
pub use query::{FromQuery, Query};

/// The guide about this crate: its examples are run as tests.
#[cfg(all(doctest, feature = "engine"))]
#[doc = include_str!("../../../docs/data-duckdb.md")]
mod guide {}

/// What the macro's code calls.
#[doc(hidden)]
pub mod __private {
    pub use precip_engine::asset::{AssetContext, AssetError};
    pub use precip_io::TableStream;
}
