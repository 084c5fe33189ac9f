//! [`ErrorClass`]: the one classification of AWS errors. Each adapter words a class for its own port.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// The advice for missing or unusable credentials.
pub(crate) const LOG_IN: &str = "log in again (`aws sso login`, `aws configure`), and export the \
                                 credentials with `eval \"$(aws configure export-credentials \
                                 --format env)\"`";

/// The meaning of a failed call to AWS for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The request could not be built: no region, or a missing field.
    InvalidRequest,
    /// The request was not sent. As a rule the SDK found no credentials.
    NotSent,
    /// No answer came in time. The call may have taken effect.
    TimedOut,
    /// The connection broke, or its answer could not be read. The call may have taken effect.
    Disconnected,
    /// The service throttles the caller, or a quota of concurrent work is used up.
    Throttled,
    /// Another call changes the same data at the same time.
    Contended,
    /// The service failed.
    Internal,
    /// The credentials are missing, wrong or expired. The service's message can quote the signed
    /// request, so it is never shown.
    Credentials,
    /// The credentials are valid, and lack a permission.
    AccessDenied,
    /// The resource does not exist.
    NotFound,
    /// Any other refusal: the call fails again if it is repeated.
    Rejected,
}

impl ErrorClass {
    /// Classifies an error of the SDK.
    pub(crate) fn of_sdk_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self::InvalidRequest,
            SdkError::TimeoutError(_) => Self::TimedOut,
            SdkError::DispatchFailure(failure)
                if failure.is_timeout() || failure.is_io() || failure.as_other().is_some() =>
            {
                Self::Disconnected
            }
            SdkError::DispatchFailure(_) => Self::NotSent,
            SdkError::ResponseError(_) => Self::Disconnected,
            SdkError::ServiceError(answer) => {
                Self::of_answer(answer.raw().status().as_u16(), answer.err().code())
            }
            _ => Self::Rejected,
        }
    }

    /// Classifies an error answer by its code, or by its HTTP status where the code decides nothing.
    ///
    /// Sources, by service:
    /// - all: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
    /// - DynamoDB: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
    /// - S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    /// - Step Functions: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
    /// - Secrets Manager: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    /// - SNS: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
    /// - EventBridge Scheduler: <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
    pub(crate) fn of_answer(status: u16, code: Option<&str>) -> Self {
        match code {
            // Services name the faults of a signature differently, and new names keep the word.
            Some(code) if code.contains("Signature") => Self::Credentials,
            Some(
                "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidAccessKeyId"
                | "MissingAuthenticationToken"
                | "MissingAuthenticationTokenException"
                | "MissingSecurityHeader"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "InvalidToken"
                | "InvalidSecurity"
                | "RequestExpired"
                | "RequestTimeTooSkewed",
            ) => Self::Credentials,
            Some(
                "AccessDenied"
                | "AccessDeniedException"
                | "AllAccessDisabled"
                | "AuthorizationError"
                | "KMSAccessDenied"
                | "KmsAccessDeniedException"
                | "NotAuthorized"
                | "OptInRequired",
            ) => Self::AccessDenied,
            Some(
                "ExecutionLimitExceeded"
                | "KMSThrottling"
                | "KmsThrottlingException"
                | "LimitExceededException"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "SlowDown"
                | "Throttled"
                | "Throttling"
                | "ThrottlingException"
                | "TooManyRequestsException",
            ) => Self::Throttled,
            Some(
                "ConditionalRequestConflict"
                | "OperationAborted"
                | "ReplicatedWriteConflictException"
                | "TransactionConflictException"
                | "TransactionInProgressException",
            ) => Self::Contended,
            Some(
                "InternalError"
                | "InternalFailure"
                | "InternalServerError"
                | "InternalServerException"
                | "InternalServiceError"
                | "ServiceUnavailable",
            ) => Self::Internal,
            Some("RequestTimeout" | "RequestTimeoutException") => Self::TimedOut,
            Some(
                "NoSuchBucket"
                | "NoSuchKey"
                | "NotFound"
                | "ResourceNotFound"
                | "ResourceNotFoundException"
                | "StateMachineDeleting"
                | "StateMachineDoesNotExist",
            ) => Self::NotFound,
            _ => Self::of_status(status, code.is_some()),
        }
    }

    /// Classifies an answer by its HTTP status. 403 and 404 decide only when there is no code: with
    /// an unknown one they may mean something of the service's own.
    fn of_status(status: u16, has_code: bool) -> Self {
        match status {
            429 => Self::Throttled,
            500.. => Self::Internal,
            401 | 403 if !has_code => Self::AccessDenied,
            404 if !has_code => Self::NotFound,
            _ => Self::Rejected,
        }
    }

    /// Returns `true` if the same call may succeed when it is repeated.
    pub(crate) fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::TimedOut
                | Self::Disconnected
                | Self::Throttled
                | Self::Contended
                | Self::Internal
        )
    }
}

/// Describes a failed call to `service` in one clause that quotes nothing that was signed.
pub(crate) fn describe<E>(service: &str, error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let class = ErrorClass::of_sdk_error(error);
    let code = error.code().unwrap_or("an unknown error");
    match (class, error) {
        (ErrorClass::InvalidRequest, _) => {
            format!("the request to {service} could not be built: set a region (AWS_REGION)")
        }
        (ErrorClass::NotSent, _) => format!(
            "the request to {service} could not be sent: check the credentials and the region"
        ),
        (ErrorClass::Credentials, _) => {
            format!("{service}: {code}: the credentials are missing, wrong or expired")
        }
        (_, SdkError::ServiceError(_)) => match error.message() {
            Some(message) => format!("{service}: {code}: {message}"),
            None => format!("{service}: {code}"),
        },
        (ErrorClass::TimedOut, _) => format!("{service} did not answer in time"),
        _ => format!("the connection to {service} failed"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        config::http::HttpResponse,
        error::{ConnectorError, ErrorMetadata},
        operation::get_item::GetItemError,
    };

    use super::*;

    fn service_error(status: u16, code: &str, message: &str) -> SdkError<GetItemError> {
        let metadata = ErrorMetadata::builder().code(code).message(message).build();
        let response = HttpResponse::new(status.try_into().unwrap(), "".into());
        SdkError::service_error(GetItemError::generic(metadata), response)
    }

    #[test]
    fn classifies_documented_codes_of_every_service() {
        use ErrorClass as C;
        for (status, code, class) in [
            // Common to all services.
            (403, "ExpiredTokenException", C::Credentials),
            (403, "IncompleteSignature", C::Credentials),
            (403, "InvalidClientTokenId", C::Credentials),
            (403, "MissingAuthenticationToken", C::Credentials),
            (400, "RequestExpired", C::Credentials),
            (403, "UnrecognizedClientException", C::Credentials),
            (400, "AccessDeniedException", C::AccessDenied),
            (401, "NotAuthorized", C::AccessDenied),
            (403, "OptInRequired", C::AccessDenied),
            (500, "InternalFailure", C::Internal),
            (408, "RequestTimeoutException", C::TimedOut),
            (503, "ServiceUnavailable", C::Internal),
            (400, "ThrottlingException", C::Throttled),
            (400, "ValidationError", C::Rejected),
            // DynamoDB.
            (400, "IncompleteSignatureException", C::Credentials),
            (400, "InvalidSignatureException", C::Credentials),
            (400, "MissingAuthenticationTokenException", C::Credentials),
            (400, "LimitExceededException", C::Throttled),
            (400, "ProvisionedThroughputExceededException", C::Throttled),
            (400, "RequestLimitExceeded", C::Throttled),
            (400, "ReplicatedWriteConflictException", C::Contended),
            (400, "TransactionConflictException", C::Contended),
            (400, "TransactionInProgressException", C::Contended),
            (500, "InternalServerError", C::Internal),
            (400, "ResourceNotFoundException", C::NotFound),
            (400, "ConditionalCheckFailedException", C::Rejected),
            (400, "ValidationException", C::Rejected),
            // S3.
            (400, "ExpiredToken", C::Credentials),
            (403, "InvalidAccessKeyId", C::Credentials),
            (403, "InvalidSecurity", C::Credentials),
            (400, "InvalidToken", C::Credentials),
            (400, "MissingSecurityHeader", C::Credentials),
            (403, "RequestTimeTooSkewed", C::Credentials),
            (403, "SignatureDoesNotMatch", C::Credentials),
            (403, "AccessDenied", C::AccessDenied),
            (403, "AllAccessDisabled", C::AccessDenied),
            (503, "SlowDown", C::Throttled),
            (409, "ConditionalRequestConflict", C::Contended),
            (409, "OperationAborted", C::Contended),
            (500, "InternalError", C::Internal),
            (400, "RequestTimeout", C::TimedOut),
            (404, "NoSuchBucket", C::NotFound),
            (404, "NoSuchKey", C::NotFound),
            (301, "PermanentRedirect", C::Rejected),
            (412, "PreconditionFailed", C::Rejected),
            // Step Functions.
            (400, "ExecutionLimitExceeded", C::Throttled),
            (400, "KmsThrottlingException", C::Throttled),
            (400, "KmsAccessDeniedException", C::AccessDenied),
            (400, "StateMachineDeleting", C::NotFound),
            (400, "StateMachineDoesNotExist", C::NotFound),
            (400, "InvalidArn", C::Rejected),
            // Secrets Manager.
            (500, "InternalServiceError", C::Internal),
            (400, "DecryptionFailure", C::Rejected),
            // SNS.
            (403, "AuthorizationError", C::AccessDenied),
            (400, "KMSAccessDenied", C::AccessDenied),
            (400, "KMSThrottling", C::Throttled),
            (404, "NotFound", C::NotFound),
            // EventBridge Scheduler. A schedule of that name exists: repeating the call cannot help.
            (409, "ConflictException", C::Rejected),
            (500, "InternalServerException", C::Internal),
            (402, "ServiceQuotaExceededException", C::Rejected),
        ] {
            assert_eq!(ErrorClass::of_answer(status, Some(code)), class, "{code}");
        }
    }

    #[test]
    fn classifies_by_status_where_the_code_decides_nothing() {
        use ErrorClass as C;
        for (status, code, class) in [
            (503, None, C::Internal),
            (500, Some("Unheard"), C::Internal),
            (429, Some("Unheard"), C::Throttled),
            (401, None, C::AccessDenied),
            (403, None, C::AccessDenied),
            (403, Some("Unheard"), C::Rejected),
            (404, None, C::NotFound),
            (404, Some("UnknownOperationException"), C::Rejected),
            (400, None, C::Rejected),
        ] {
            assert_eq!(
                ErrorClass::of_answer(status, code),
                class,
                "{status} {code:?}"
            );
        }
    }

    #[test]
    fn classifies_calls_without_an_answer() {
        use ErrorClass as C;
        type Failed = SdkError<GetItemError>;
        let dispatch = |error| Failed::dispatch_failure(error);
        for (error, class) in [
            (Failed::construction_failure("no region"), C::InvalidRequest),
            (Failed::timeout_error("late"), C::TimedOut),
            (
                dispatch(ConnectorError::io("reset".into())),
                C::Disconnected,
            ),
            (
                dispatch(ConnectorError::timeout("late".into())),
                C::Disconnected,
            ),
            (
                dispatch(ConnectorError::other("no credentials".into(), None)),
                C::NotSent,
            ),
        ] {
            assert_eq!(ErrorClass::of_sdk_error(&error), class, "{error:?}");
        }
    }

    #[test]
    fn only_passing_failures_are_retryable() {
        use ErrorClass as C;
        for class in [
            C::TimedOut,
            C::Disconnected,
            C::Throttled,
            C::Contended,
            C::Internal,
        ] {
            assert!(class.is_retryable(), "{class:?}");
        }
        for class in [
            C::InvalidRequest,
            C::NotSent,
            C::Credentials,
            C::AccessDenied,
            C::NotFound,
            C::Rejected,
        ] {
            assert!(!class.is_retryable(), "{class:?}");
        }
    }

    #[test]
    fn describes_an_answer_without_quoting_what_was_signed() {
        let error = service_error(400, "ValidationException", "no such attribute");
        let expected = "SNS: ValidationException: no such attribute";
        assert_eq!(describe("SNS", &error), expected);
        for code in ["InvalidSignatureException", "ExpiredToken"] {
            let error = service_error(403, code, "x-amz-security-token:SECRET");
            let described = describe("SNS", &error);
            assert!(
                described.contains(code) && !described.contains("SECRET"),
                "{described}"
            );
        }
    }
}
