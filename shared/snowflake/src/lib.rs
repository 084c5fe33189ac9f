//! Snowflake for Precip: [`SnowflakeIoManager`] keeps assets as tables of a Snowflake database.
//!
//! It stands on `snowflake-connector-rs`, which signs in by key pairs with and without a passphrase, can be given
//! another address, uses rustls, and brings no Arrow: rows go in by statements, and come back as JSON.
//! `snowflake-api`, its fork `firn` and `snowflakedb-rs` answer in Arrow, but an older one beside this
//! workspace's; the first two, which put files into stages on S3, bring an older `object_store` as well, the
//! third signs without the padding that a key's fingerprint has. `adbc_snowflake` is built with Go.

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

/// The guide about this crate: its examples are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/data-snowflake.md")]
mod guide {}
