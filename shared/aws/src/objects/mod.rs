//! The objects of S3 buckets, as sweeps look through them.

mod s3;

pub use s3::S3Objects;

#[cfg(test)]
mod tests;
