//! Snowflake for Precip: [`SnowflakeIoManager`] keeps assets as tables of a Snowflake database.
//!
//! It is built on `snowflake-connector-rs`, which supports key pairs with and without a passphrase, custom addresses
//! and rustls, and does not depend on Arrow: rows are sent in statements, and come back as JSON. The alternatives
//! do not fit: `snowflake-api`, its fork `firn` and `snowflakedb-rs` depend on an older Arrow than this workspace;
//! the first two, which upload files to stages on S3, depend on an older `object_store` too, and the third signs
//! without the padding of a key's fingerprint. `adbc_snowflake` needs Go to build.

mod connection;
mod error;
mod load;
mod manager;
mod names;
mod read;
mod session;
mod settings;
mod store;
mod types;
mod write;

pub use connection::SnowflakeConnection;
pub use manager::SnowflakeIoManager;
pub use settings::{SnowflakeLogin, SnowflakeSettings};

/// The guide about this crate, whose examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data-snowflake.md")]
mod guide {}
