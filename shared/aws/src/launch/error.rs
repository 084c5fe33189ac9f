//! Errors of Step Functions as errors of the port.

use std::error::Error;

use aws_sdk_sfn::error::{ProvideErrorMetadata, SdkError};
use precip_engine::deployment::ExecutionError;

use crate::error::{ErrorClass, LOG_IN};

/// Converts the error of a failed call. `action` completes "could not ..".
pub(super) fn sdk_error<E>(machine: &str, action: &str, error: &SdkError<E>) -> ExecutionError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let class = ErrorClass::of_sdk_error(error);
    execution_error(machine, action, class, error.code(), error.message())
}

fn execution_error(
    machine: &str,
    action: &str,
    class: ErrorClass,
    code: Option<&str>,
    message: Option<&str>,
) -> ExecutionError {
    let unknown = "an unknown error";
    let (code, message) = (code.unwrap_or(unknown), message.unwrap_or_default());
    let (problem, help) = match class {
        ErrorClass::TimedOut => (
            "Step Functions did not answer in time".to_owned(),
            "try again: what was started is not started twice",
        ),
        ErrorClass::NotSent => ("Step Functions could not be called".to_owned(), LOG_IN),
        ErrorClass::Disconnected => (
            "the connection to Step Functions failed".to_owned(),
            "try again; if it fails again, check the network, the region and the endpoint",
        ),
        ErrorClass::InvalidRequest => (
            "the request could not be built".to_owned(),
            "set a region (AWS_REGION)",
        ),
        ErrorClass::Throttled if code == "ExecutionLimitExceeded" => (
            "this account has reached its limit of running executions".to_owned(),
            "wait for some to end, or have the quota raised",
        ),
        ErrorClass::Throttled | ErrorClass::Contended | ErrorClass::Internal => {
            (code.to_owned(), "try again in a moment")
        }
        // The service's message can quote the signed request.
        ErrorClass::Credentials => (
            format!("{code}: the credentials are missing, wrong or expired"),
            LOG_IN,
        ),
        ErrorClass::AccessDenied => (
            format!("these credentials do not allow it: {message}"),
            "use a role that may start, describe, list and stop executions of the stack's state \
             machines",
        ),
        ErrorClass::NotFound => (
            format!("there is no state machine `{machine}` in this account and region"),
            "deploy the stack, or set PRECIP_STATE_MACHINE_ARN and AWS_REGION to where it is",
        ),
        ErrorClass::Rejected if code == "InvalidArn" => (
            format!("Step Functions refuses `{machine}` as the ARN of a state machine"),
            "set PRECIP_STATE_MACHINE_ARN to the ARN in the stack's outputs",
        ),
        ErrorClass::Rejected => (
            format!("{code}: {message}"),
            "run `doctor --on aws` to look for the cause",
        ),
    };
    ExecutionError {
        message: format!("could not {action}: {problem}"),
        help: help.to_owned(),
        retryable: class.is_retryable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: Option<&str>, message: &str) -> ExecutionError {
        let class = ErrorClass::of_answer(status, code);
        execution_error("arn:flights", "start", class, code, Some(message))
    }

    #[test]
    fn says_whether_trying_again_helps() {
        for (status, code, retryable) in [
            (400, Some("ThrottlingException"), true),
            (400, Some("ExecutionLimitExceeded"), true),
            (500, Some("InternalServerError"), true),
            (503, None, true),
            (400, Some("AccessDeniedException"), false),
            (400, Some("StateMachineDoesNotExist"), false),
            (400, Some("ExpiredTokenException"), false),
            (400, Some("ValidationException"), false),
        ] {
            assert_eq!(answered(status, code, "").retryable, retryable, "{code:?}");
        }
    }

    #[test]
    fn names_the_machine_that_is_missing_and_what_to_do() {
        let error = answered(400, Some("StateMachineDoesNotExist"), "");
        assert!(error.message.contains("`arn:flights`"), "{error:?}");
        assert!(error.help.contains("PRECIP_STATE_MACHINE_ARN"), "{error:?}");
    }

    #[test]
    fn never_repeats_what_was_signed() {
        let code = Some("InvalidSignatureException");
        let error = answered(403, code, "x-amz-security-token:SECRET");
        assert!(!format!("{error:?}").contains("SECRET"));
    }
}
