//! The files of runs on AWS: objects in one bucket.

mod s3;

pub use s3::S3Files;
