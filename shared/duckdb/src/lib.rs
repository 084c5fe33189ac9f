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
//! Without `bundled`, DuckDB's library is linked to: `DUCKDB_LIB_DIR` names the folder that it is in.

mod database;
mod error;
mod load;
mod manager;
mod names;
mod query;
mod store;
mod types;

pub use manager::DuckDbIoManager;
#[doc = include_str!("../docs/sql_asset.md")]
pub use precip_macros::sql_asset;
pub use query::{FromQuery, Query};

/// The guide about this crate: its examples are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data-duckdb.md")]
mod guide {}

/// What the macro's code calls.
#[doc(hidden)]
pub mod __private {
    pub use precip_engine::asset::{AssetContext, AssetError};
    pub use precip_io::Table;
}
