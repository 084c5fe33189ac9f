//! A random project has the same record on a laptop and on AWS.
//!
//!     tests/with/emulator cargo nextest run -p precip-graphs --features aws
//!
//! `PRECIP_TEST_SEED` selects another project, `PRECIP_TEST_GRAPHS` its number of graphs.

mod emulator;
mod laptop;
mod outages;
mod proxy;
mod record;

use std::time::Duration;

use precip::engine::{
    deployment::{Execution, Executions},
    run_id::RunId,
};
use precip_graphs::deployment::Deployment;

const PROGRAM: &str = env!("CARGO_BIN_EXE_graphs");

/// Parses the number in a variable.
fn number_variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Waits until a run's execution has ended.
async fn await_execution(deployment: &Deployment, id: RunId) -> Execution {
    let executions = &deployment.executions;
    let arn = executions.execution_arn(&id.to_string());
    loop {
        let execution = executions.describe_execution(&arn).await.unwrap().unwrap();
        if execution.status.is_ended() {
            return execution;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
