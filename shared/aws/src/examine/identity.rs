//! Who asks, and where.

use aws_sdk_sfn::config::ProvideCredentials;
use precip_engine::deployment::Finding;

use crate::{
    Aws,
    launch::{LOG_IN, MachineArn},
};

const CREDENTIALS: &str = "credentials";
const REGION: &str = "region";

/// Whether there are credentials; whether they are worth something, the other parts show.
pub(super) async fn credentials(aws: &Aws) -> Finding {
    let Some(provider) = aws.config().credentials_provider() else {
        return Finding::wrong(CREDENTIALS, "there are none", LOG_IN);
    };
    match provider.provide_credentials().await {
        Ok(_) => Finding::well(CREDENTIALS, "found"),
        // What the SDK says of it names files and profiles, never a key.
        Err(error) => Finding::wrong(CREDENTIALS, error.to_string(), LOG_IN),
    }
}

/// Whether the region is that of the state machine: the table and the bucket are there as well.
pub(super) fn region(aws: &Aws, machine: &MachineArn) -> Finding {
    let wanted = machine.region();
    match aws.config().region().map(AsRef::as_ref) {
        Some(region) if region == wanted => Finding::well(REGION, region),
        Some(other) => Finding::wrong(
            REGION,
            format!("is `{other}`, and the state machine is in `{wanted}`"),
            format!("set AWS_REGION={wanted}"),
        ),
        None => Finding::wrong(REGION, "none is set", format!("set AWS_REGION={wanted}")),
    }
}
