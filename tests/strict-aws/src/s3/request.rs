//! [`Request`]: a request to S3, by its method, host, path and headers.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::{
    checksum::{check_crc32, join_chunks},
    error::Failure,
};

/// The headers that say nothing about the object.
const PLAIN_HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-amz-decoded-content-length",
];

/// The headers whose meaning is implemented.
const HEADERS: [&str; 8] = [
    "content-encoding",
    "content-type",
    "if-match",
    "if-none-match",
    "range",
    "x-amz-checksum-crc32",
    "x-amz-checksum-mode",
    "x-id",
];

/// A request to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) method: String,
    pub(super) bucket: String,
    /// The key of the object; empty for a request to the bucket.
    pub(super) key: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

impl Request {
    /// Reads a request. The bucket is the first part of the host, or of the path.
    ///
    /// # Panics
    /// For hosts of other services, and for headers that are not implemented.
    pub(crate) fn new(
        method: &str,
        uri: &str,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Self {
        let address = uri.split_once("://").map_or(uri, |(_, address)| address);
        let (host, path) = address.split_once('/').unwrap_or((address, ""));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (bucket, key) = match host.split_once(".s3.") {
            Some((bucket, _)) => (bucket, path),
            None if host.starts_with("s3.") => path.split_once('/').unwrap_or((path, "")),
            None => panic!("the strict AWS does not know the service at {host}"),
        };
        for name in headers.keys() {
            let known = PLAIN_HEADERS.contains(&name.as_str()) || HEADERS.contains(&name.as_str());
            assert!(
                known,
                "the strict AWS does not know the header {name} of S3"
            );
        }
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self {
            method: method.to_owned(),
            bucket: decode(bucket),
            key: decode(key),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(pair)
                .collect(),
            headers,
            body,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the name of the operation.
    ///
    /// # Panics
    /// For operations that are not implemented.
    pub(crate) fn operation(&self) -> &'static str {
        let has = |name| self.query.contains_key(name);
        let names: Vec<&str> = self.query.keys().map(String::as_str).collect();
        let id = self.query.get("x-id").map(String::as_str);
        match (self.method.as_str(), self.key.is_empty(), names.as_slice()) {
            ("GET", false, [] | ["x-id"]) => "GetObject",
            ("HEAD", false, []) => "HeadObject",
            ("PUT", false, [] | ["x-id"]) if id != Some("CopyObject") => "PutObject",
            ("DELETE", false, [] | ["x-id"]) => "DeleteObject",
            ("HEAD", true, []) => "HeadBucket",
            ("GET", true, _) if has("list-type") => "ListObjectsV2",
            _ => panic!(
                "the strict AWS does not know the call {} {}/{} {:?} of S3",
                self.method, self.bucket, self.key, self.query
            ),
        }
    }

    /// Returns the content that a request sends, checked against its checksum.
    pub(super) fn content(&self) -> Result<Vec<u8>, Failure> {
        let chunked = self.header("content-encoding") == Some("aws-chunked");
        assert!(
            chunked || self.header("content-encoding").is_none(),
            "the strict AWS does not know content encodings"
        );
        if !chunked {
            check_crc32(&self.body, self.header("x-amz-checksum-crc32"))?;
            return Ok(self.body.clone());
        }
        let malformed = || {
            Failure::new(
                400,
                "IncompleteBody",
                "The request body terminated unexpectedly",
            )
        };
        let chunked = join_chunks(&self.body).ok_or_else(malformed)?;
        let length = self.header("x-amz-decoded-content-length");
        if length != Some(chunked.content.len().to_string().as_str()) {
            return Err(malformed());
        }
        let mut checksum = None;
        for (name, value) in &chunked.trailers {
            assert_eq!(
                name, "x-amz-checksum-crc32",
                "the strict AWS does not know the trailer {name}"
            );
            checksum = Some(value.as_str());
        }
        check_crc32(&chunked.content, checksum)?;
        Ok(chunked.content)
    }
}
