//! Partitioned data assets on AWS without a server.

pub use precip_core as core;
