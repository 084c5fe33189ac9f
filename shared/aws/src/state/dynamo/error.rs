//! Errors of DynamoDB as errors of the port.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use precip_engine::state::{StateError, StateErrorKind};

use crate::error::ErrorClass;

/// The code and the message of an answer. The SDK's own error is not kept as the source, since it can
/// hold the whole response.
#[derive(Debug)]
struct Cause {
    code: String,
    message: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl Error for Cause {}

/// Converts the error of a failed call. `action` completes "could not ..".
pub(super) fn sdk_error<E>(table: &str, action: &str, error: SdkError<E>) -> StateError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let class = ErrorClass::of_sdk_error(&error);
    state_error(table, action, class, error.code(), error.message())
}

fn state_error(
    table: &str,
    action: &str,
    class: ErrorClass,
    code: Option<&str>,
    message: Option<&str>,
) -> StateError {
    let new =
        |kind, problem: String| StateError::new(kind, format!("could not {action}: {problem}"));
    let unknown = "an unknown error";
    let (code, message) = (code.unwrap_or(unknown), message.unwrap_or_default());
    let cause = || Cause {
        code: code.to_owned(),
        message: message.to_owned(),
    };
    match class {
        ErrorClass::TimedOut => new(
            StateErrorKind::Retry,
            "DynamoDB did not answer in time; try again".to_owned(),
        ),
        ErrorClass::NotSent => new(
            StateErrorKind::Unavailable,
            "DynamoDB could not be called: check the credentials (`aws sts get-caller-identity`) \
             and the region"
                .to_owned(),
        ),
        ErrorClass::Disconnected => new(
            StateErrorKind::Retry,
            "the connection to DynamoDB failed: try again; if it fails again, check the network and \
             the endpoint"
                .to_owned(),
        ),
        ErrorClass::InvalidRequest => new(
            StateErrorKind::Unavailable,
            "the request could not be built: set a region (AWS_REGION) and a table".to_owned(),
        ),
        ErrorClass::Throttled | ErrorClass::Contended | ErrorClass::Internal => {
            new(StateErrorKind::Retry, format!("{code}; try again")).with_source(cause())
        }
        // The service's message can quote the signed request.
        ErrorClass::Credentials => new(
            StateErrorKind::Unavailable,
            format!(
                "{code}: the credentials are missing, wrong or expired; log in again, or give the \
                 process a role"
            ),
        ),
        ErrorClass::AccessDenied => new(
            StateErrorKind::Unavailable,
            format!("these credentials may not use table `{table}`: {message}"),
        ),
        ErrorClass::NotFound => new(
            StateErrorKind::Unavailable,
            format!(
                "there is no table `{table}` in this account and region: deploy the stack first, \
                 or set PRECIP_TABLE and AWS_REGION to where it is"
            ),
        ),
        ErrorClass::Rejected => match code {
            "ItemCollectionSizeLimitExceededException" => {
                new(StateErrorKind::Full, code.to_owned()).with_source(cause())
            }
            "ValidationException" if message.contains("size") => new(
                StateErrorKind::TooLarge,
                "the item is larger than the 400 KB that DynamoDB holds: shorten its metadata or \
                 message"
                    .to_owned(),
            )
            .with_source(cause()),
            _ => new(StateErrorKind::Conflict, format!("{code}: {message}")),
        },
    }
}

/// Reports a request that misses a part, which is a mistake in this crate.
pub(super) fn incomplete_request(
    table: &str,
    error: impl Error + Send + Sync + 'static,
) -> StateError {
    StateError::new(
        StateErrorKind::Conflict,
        format!("a request to table `{table}` is not complete"),
    )
    .with_source(error)
}

/// Reports that other processes changed the same row at every attempt.
pub(super) fn contention_error(action: &str) -> StateError {
    StateError::new(
        StateErrorKind::Retry,
        format!("could not {action}: other processes keep changing the same rows; try again"),
    )
}

/// Reports a row whose content cannot be decoded.
pub(super) fn unreadable_row(content: &str, pk: &str, sk: &str) -> StateError {
    StateError::new(
        StateErrorKind::Corrupt,
        format!(
            "{content} in the row `{pk}` / `{sk}` cannot be read: restore the table to a time \
             before it was damaged, or delete the row"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(code: &str, message: &str) -> StateError {
        let class = ErrorClass::of_answer(400, Some(code));
        state_error("precip", "read", class, Some(code), Some(message))
    }

    #[test]
    fn says_what_the_caller_has_to_do() {
        use StateErrorKind as K;
        for (code, message, kind) in [
            ("ThrottlingException", "Rate exceeded", K::Retry),
            ("InternalServerError", "", K::Retry),
            ("ExpiredTokenException", "", K::Unavailable),
            ("ResourceNotFoundException", "", K::Unavailable),
            ("AccessDeniedException", "not authorized", K::Unavailable),
            (
                "ValidationException",
                "Item size has exceeded the maximum allowed size",
                K::TooLarge,
            ),
            ("ValidationException", "no such attribute", K::Conflict),
        ] {
            assert_eq!(answered(code, message).kind(), kind, "{code}");
        }
    }

    #[test]
    fn names_the_table_that_is_missing() {
        let error = answered("ResourceNotFoundException", "").to_string();
        assert!(error.contains("no table `precip`"), "{error}");
        assert!(error.contains("PRECIP_TABLE"), "{error}");
    }

    #[test]
    fn never_repeats_what_was_signed() {
        let error = answered("InvalidSignatureException", "x-amz-security-token:SECRET");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}
