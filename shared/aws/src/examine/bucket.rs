//! Examination of the bucket of data and run files.

use aws_sdk_s3::error::SdkError;
use precip_engine::deployment::Finding;

use crate::Aws;

/// Checks that the bucket exists and that these credentials may use it.
pub(super) async fn examine_bucket(aws: &Aws, bucket: &str) -> Finding {
    let what = format!("bucket `{bucket}`");
    match aws.s3().head_bucket().bucket(bucket).send().await {
        Ok(_) => Finding::without_problem(what, "can be read"),
        Err(SdkError::ServiceError(answer)) => {
            // An answer to HEAD has no body: only its status tells what is wrong.
            let (problem, note) = match answer.raw().status().as_u16() {
                404 => (
                    "does not exist".to_owned(),
                    "deploy the stack, or set PRECIP_BUCKET to the bucket in the stack's outputs",
                ),
                403 => (
                    "these credentials may not use it".to_owned(),
                    "give them s3:ListBucket, s3:GetObject and s3:PutObject on it; check that it is \
                     this account's",
                ),
                301 | 400 => (
                    "is in another region, or the credentials are expired".to_owned(),
                    "set AWS_REGION to the bucket's region, or log in again",
                ),
                status => (format!("S3 answers {status}"), "try again in a moment"),
            };
            Finding::with_problem(what, problem, note)
        }
        Err(_) => Finding::with_problem(
            what,
            "S3 does not answer",
            "check the network, the region and the endpoint",
        ),
    }
}
