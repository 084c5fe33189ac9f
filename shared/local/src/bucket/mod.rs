//! A folder in place of a bucket: listing its objects, and watching for new ones.

mod folder;
mod walk;
mod watch;

pub use folder::BucketFolder;
pub use watch::{Watch, WatchError};

#[cfg(test)]
mod tests;
