//! S3 by its REST protocol.

mod bucket;
mod checksum;
mod error;
mod list;
mod object;
mod request;
mod service;
mod write;
mod xml;

#[cfg(test)]
mod tests;

pub(crate) use error::internal_error;
pub(crate) use request::Request;
pub(crate) use service::S3;
