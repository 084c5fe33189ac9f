//! The attribute macros of Precip. Use them through the `precip` crate.
