//! A folder that stands for a bucket.

mod folder;
mod watch;

pub use folder::BucketFolder;
pub use watch::{Watch, WatchError};

#[cfg(test)]
mod tests;
