//! A function with the SDK clients that a materializer has, and no work.

use std::hint::black_box;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use precip_aws::Aws;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let aws = Aws::from_env().await;
    let clients = (aws.dynamodb(), aws.s3(), aws.secrets_manager());
    let answer = async |event: LambdaEvent<Value>| {
        // So that no client is left out of the program.
        black_box(&clients);
        Ok::<Value, Error>(event.payload)
    };
    lambda_runtime::run(service_fn(answer)).await
}
