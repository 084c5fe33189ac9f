//! Examination of credentials and region.

use aws_sdk_sfn::config::ProvideCredentials;
use precip_engine::deployment::Finding;

use crate::{Aws, error::LOG_IN, launch::MachineArn};

const CREDENTIALS: &str = "credentials";
const REGION: &str = "region";

/// Checks that credentials can be found. The examinations of the other parts show if they are valid.
pub(super) async fn examine_credentials(aws: &Aws) -> Finding {
    let Some(provider) = aws.config().credentials_provider() else {
        return Finding::with_problem(CREDENTIALS, "there are none", LOG_IN);
    };
    match provider.provide_credentials().await {
        Ok(_) => Finding::without_problem(CREDENTIALS, "found"),
        // The SDK's message names files and profiles, never a key.
        Err(error) => Finding::with_problem(CREDENTIALS, error.to_string(), LOG_IN),
    }
}

/// Checks that the region is that of the state machine: the table and the bucket are there as well.
pub(super) fn examine_region(aws: &Aws, machine: &MachineArn) -> Finding {
    let wanted = machine.region();
    match aws.config().region().map(AsRef::as_ref) {
        Some(region) if region == wanted => Finding::without_problem(REGION, region),
        Some(other) => Finding::with_problem(
            REGION,
            format!("is `{other}`, and the state machine is in `{wanted}`"),
            format!("set AWS_REGION={wanted}"),
        ),
        None => Finding::with_problem(REGION, "none is set", format!("set AWS_REGION={wanted}")),
    }
}
