//! Errors of DynamoDB as errors of the port.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use precip_engine::state::{StateError, StateErrorKind};

/// What went wrong, without what was sent: the SDK's own error can hold the whole response.
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

/// Codes after which the same call may succeed.
const PASSING: [&str; 10] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "Throttling",
    "LimitExceededException",
    "InternalServerError",
    "ServiceUnavailable",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
];

/// Codes of credentials that are missing, wrong, or worth nothing.
const CREDENTIALS: [&str; 8] = [
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationTokenException",
    "ExpiredTokenException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
];

/// The error of a call that could not be made or was answered with an error. `doing` completes
/// "could not ..".
pub(super) fn of_sdk<E, R>(table: &str, doing: &str, error: SdkError<E, R>) -> StateError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: fmt::Debug,
{
    let new = |kind, what: String| StateError::new(kind, format!("could not {doing}: {what}"));
    match &error {
        SdkError::TimeoutError(_) => new(
            StateErrorKind::Retry,
            "DynamoDB did not answer in time; try again".to_owned(),
        ),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() && !failure.is_io() => new(
            StateErrorKind::Unavailable,
            "DynamoDB could not be called: check the credentials (`aws sts get-caller-identity`) \
             and the region"
                .to_owned(),
        ),
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => new(
            StateErrorKind::Retry,
            "the connection to DynamoDB failed: try again, and check the network and the endpoint \
             if it stays so"
                .to_owned(),
        ),
        SdkError::ConstructionFailure(_) => new(
            StateErrorKind::Unavailable,
            "the request could not be built: set a region (AWS_REGION) and a table".to_owned(),
        ),
        _ => of_service(table, &new, error.code(), error.message()),
    }
}

fn of_service(
    table: &str,
    new: &dyn Fn(StateErrorKind, String) -> StateError,
    code: Option<&str>,
    message: Option<&str>,
) -> StateError {
    let code = code.unwrap_or("an unknown error");
    let said = message.unwrap_or_default();
    let cause = || Cause {
        code: code.to_owned(),
        message: said.to_owned(),
    };
    match code {
        code if PASSING.contains(&code) => {
            new(StateErrorKind::Retry, format!("{code}; try again")).because(cause())
        }
        // What the service says about a signature can quote the signed request.
        code if CREDENTIALS.contains(&code) => new(
            StateErrorKind::Unavailable,
            format!(
                "{code}: the credentials are missing, wrong or expired; log in again, or give the \
                 process a role"
            ),
        ),
        "AccessDeniedException" => new(
            StateErrorKind::Unavailable,
            format!("these credentials may not use table `{table}`: {said}"),
        ),
        "ResourceNotFoundException" => new(
            StateErrorKind::Unavailable,
            format!(
                "there is no table `{table}` in this account and region: deploy the stack first, \
                 or set PRECIP_TABLE and AWS_REGION to where it is"
            ),
        ),
        "ItemCollectionSizeLimitExceededException" => {
            new(StateErrorKind::Full, code.to_owned()).because(cause())
        }
        "ValidationException" if said.contains("size") => new(
            StateErrorKind::TooLarge,
            "the item is larger than the 400 KB that DynamoDB holds: put less into its metadata \
             or message"
                .to_owned(),
        )
        .because(cause()),
        code if code.starts_with("5") => {
            new(StateErrorKind::Retry, format!("{code}; try again")).because(cause())
        }
        _ => new(StateErrorKind::Conflict, format!("{code}: {said}")),
    }
}

/// A request that misses a part: a mistake of ours, told as such.
pub(super) fn request(table: &str, error: impl Error + Send + Sync + 'static) -> StateError {
    StateError::new(
        StateErrorKind::Conflict,
        format!("a request to table `{table}` is not complete"),
    )
    .because(error)
}

/// Somebody else changed the same row again and again.
pub(super) fn contended(doing: &str) -> StateError {
    StateError::new(
        StateErrorKind::Retry,
        format!("could not {doing}: others change the same rows all the time; try again"),
    )
}

/// A row that cannot be read back.
pub(super) fn unreadable(what: &str, pk: &str, sk: &str) -> StateError {
    StateError::new(
        StateErrorKind::Corrupt,
        format!(
            "{what} in the row `{pk}` / `{sk}` cannot be read: restore the table to a time before \
             it was damaged, or delete the row"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> StateError {
        let new = |kind, what: String| StateError::new(kind, format!("could not read: {what}"));
        of_service("precip", &new, Some(code), Some(message))
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
            assert_eq!(of(code, message).kind(), kind, "{code}");
        }
    }

    #[test]
    fn names_the_table_that_is_missing() {
        let error = of("ResourceNotFoundException", "").to_string();
        assert!(error.contains("no table `precip`"), "{error}");
        assert!(error.contains("PRECIP_TABLE"), "{error}");
    }

    #[test]
    fn never_repeats_what_was_signed() {
        let error = of("InvalidSignatureException", "x-amz-security-token:SECRET");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
}
