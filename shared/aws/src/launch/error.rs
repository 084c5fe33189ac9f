//! Errors of Step Functions as errors of the port.

use std::error::Error;

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use precip_engine::deployment::ExecutionError;

/// Codes after which the same call may succeed.
const PASSING: [&str; 6] = [
    "ThrottlingException",
    "TooManyRequestsException",
    "ServiceUnavailable",
    "InternalServerError",
    "InternalFailure",
    "KmsThrottlingException",
];

/// Codes of credentials that are missing, wrong, or worth nothing.
const CREDENTIALS: [&str; 6] = [
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
];

/// What to do where credentials are missing or worth nothing.
pub(crate) const LOG_IN: &str = "log in again (`aws sso login`, `aws configure`), and hand the \
                                 credentials on with `eval \"$(aws configure export-credentials \
                                 --format env)\"`";

/// The error of a call that could not be made or was answered with an error. `doing` completes
/// "could not ..".
pub(super) fn of_sdk<E, R>(machine: &str, doing: &str, error: &SdkError<E, R>) -> ExecutionError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug,
{
    let new = |what: &str, help: &str, retryable| ExecutionError {
        message: format!("could not {doing}: {what}"),
        help: help.to_owned(),
        retryable,
    };
    match error {
        SdkError::TimeoutError(_) => new(
            "Step Functions did not answer in time",
            "try again: what was started is not started twice",
            true,
        ),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() && !failure.is_io() => {
            new("Step Functions could not be called", LOG_IN, false)
        }
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => new(
            "the connection to Step Functions failed",
            "try again; check the network, the region and the endpoint if it stays so",
            true,
        ),
        SdkError::ConstructionFailure(_) => new(
            "the request could not be built",
            "set a region (AWS_REGION)",
            false,
        ),
        _ => of_service(machine, &new, error.code(), error.message()),
    }
}

fn of_service(
    machine: &str,
    new: &dyn Fn(&str, &str, bool) -> ExecutionError,
    code: Option<&str>,
    message: Option<&str>,
) -> ExecutionError {
    let code = code.unwrap_or("an unknown error");
    let said = message.unwrap_or_default();
    match code {
        code if PASSING.contains(&code) => new(code, "try again in a moment", true),
        // What the service says about a signature can quote the signed request.
        code if CREDENTIALS.contains(&code) => new(
            &format!("{code}: the credentials are missing, wrong or expired"),
            LOG_IN,
            false,
        ),
        "AccessDeniedException" => new(
            &format!("these credentials may not do that: {said}"),
            "use a role that may start, describe, list and stop executions of the stack's state \
             machines",
            false,
        ),
        "StateMachineDoesNotExist" | "StateMachineDeleting" | "ResourceNotFound" => new(
            &format!("there is no state machine `{machine}` in this account and region"),
            "deploy the stack, or set PRECIP_STATE_MACHINE_ARN and AWS_REGION to where it is",
            false,
        ),
        "InvalidArn" => new(
            &format!("`{machine}` is not taken for a state machine"),
            "set PRECIP_STATE_MACHINE_ARN to what the stack's outputs say",
            false,
        ),
        "ExecutionLimitExceeded" => new(
            "as many executions are under way as this account may have",
            "wait for some to end, or have the quota raised",
            true,
        ),
        code if code.starts_with('5') => new(code, "try again in a moment", true),
        _ => new(
            &format!("{code}: {said}"),
            "`doctor --on aws` looks for what is wrong",
            false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, message: &str) -> ExecutionError {
        let new = |what: &str, help: &str, retryable| ExecutionError {
            message: format!("could not start: {what}"),
            help: help.to_owned(),
            retryable,
        };
        of_service("arn:flights", &new, Some(code), Some(message))
    }

    #[test]
    fn says_whether_trying_again_helps() {
        for (code, retryable) in [
            ("ThrottlingException", true),
            ("ExecutionLimitExceeded", true),
            ("InternalServerError", true),
            ("503", true),
            ("AccessDeniedException", false),
            ("StateMachineDoesNotExist", false),
            ("ExpiredTokenException", false),
            ("ValidationException", false),
        ] {
            assert_eq!(of(code, "").retryable, retryable, "{code}");
        }
    }

    #[test]
    fn names_the_machine_that_is_missing_and_what_to_do() {
        let error = of("StateMachineDoesNotExist", "");
        assert!(error.message.contains("`arn:flights`"), "{error:?}");
        assert!(error.help.contains("PRECIP_STATE_MACHINE_ARN"), "{error:?}");
    }

    #[test]
    fn never_repeats_what_was_signed() {
        let error = of("InvalidSignatureException", "x-amz-security-token:SECRET");
        assert!(!format!("{error:?}").contains("SECRET"));
    }
}
