//! The error answers of S3.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>

use super::xml;
use crate::http::Answer;

/// A refused call: its status, code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn no_such_key() -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.")
    }

    pub(super) fn no_such_bucket() -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist")
    }

    pub(super) fn precondition(name: &str) -> Self {
        Self::new(
            412,
            "PreconditionFailed",
            format!("At least one of the pre-conditions you specified did not hold: {name}"),
        )
    }

    pub(super) fn conflict() -> Self {
        Self::new(
            409,
            "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        )
    }

    pub(super) fn slow_down() -> Self {
        Self::new(503, "SlowDown", "Please reduce your request rate.")
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    pub(super) fn bad_digest() -> Self {
        Self::new(
            400,
            "BadDigest",
            "The checksum that you specified did not match what we received.",
        )
    }

    /// Returns the answer. That to `HEAD` has no body.
    pub(super) fn into_answer(self, is_head: bool) -> Answer {
        let body = xml::element(
            "Error",
            &[
                xml::text("Code", self.code),
                xml::text("Message", &self.message),
            ]
            .concat(),
        );
        // What is stored decides these; any other refusal is a mistake of the request.
        let depends = matches!(self.status, 304 | 404 | 409 | 412 | 416 | 500 | 503);
        let is_mistake = !depends || self.code == "NoSuchBucket";
        Answer {
            status: self.status,
            headers: vec![("content-type", "application/xml".to_owned())],
            body: match is_head || self.status == 304 {
                true => Vec::new(),
                false => xml::document(&body),
            },
            mistake: is_mistake.then(|| (self.code.to_owned(), self.message)),
        }
    }
}

/// Returns the answer of a failure within S3.
pub(crate) fn internal_error() -> Answer {
    let message = "We encountered an internal error. Please try again.";
    Failure::new(500, "InternalError", message).into_answer(false)
}
