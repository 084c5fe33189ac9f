//! Errors of AWS in words.

use std::error::Error;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// What went wrong with a call. `service` is whom it was made to.
pub(super) fn told<E, R>(service: &str, error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    match error {
        SdkError::TimeoutError(_) => format!("{service} did not answer in time"),
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            format!("the connection to {service} failed")
        }
        SdkError::ConstructionFailure(_) => {
            format!("the request to {service} could not be built: set a region (AWS_REGION)")
        }
        error => {
            let code = error.code().unwrap_or("an unknown error");
            match error.message() {
                // What is said about a signature can quote the signed request.
                Some(said) if !code.contains("Signature") => format!("{service}: {code}: {said}"),
                _ => format!("{service}: {code}"),
            }
        }
    }
}
