//! The objects of S3 buckets, as sensors list them in a sweep.

mod s3;

pub use s3::S3Objects;

#[cfg(test)]
mod tests;
