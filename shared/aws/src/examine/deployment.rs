//! [`Deployment`].

use async_trait::async_trait;
use precip_engine::deployment::{DeploymentExaminer, Finding};

use super::{bucket, identity, machine, table};
use crate::{Aws, launch::MachineArn};

/// A deployed project, identified by the names of its parts.
#[derive(Debug, Clone)]
pub struct Deployment {
    aws: Aws,
    table: String,
    bucket: String,
    machine: MachineArn,
}

impl Deployment {
    /// Names the table of the record, the bucket of the files, and the state machine.
    pub fn new(aws: Aws, table: String, bucket: String, machine: MachineArn) -> Self {
        Self {
            aws,
            table,
            bucket,
            machine,
        }
    }
}

#[async_trait]
impl DeploymentExaminer for Deployment {
    /// Examines credentials, region, table, bucket and state machines. Without credentials or a region
    /// the rest is not examined: every call would fail for that reason.
    async fn examine_deployment(&self) -> Vec<Finding> {
        let mut findings = vec![
            identity::examine_credentials(&self.aws).await,
            identity::examine_region(&self.aws, &self.machine),
        ];
        if findings.iter().any(|finding| finding.problem.is_some()) {
            return findings;
        }
        findings.push(table::examine_table(&self.aws, &self.table).await);
        findings.push(bucket::examine_bucket(&self.aws, &self.bucket).await);
        for machine in [self.machine.to_string(), self.machine.backfill_arn()] {
            // Large runs need the second machine; without it, small ones would still work.
            findings.push(machine::examine_machine(&self.aws, &machine).await);
        }
        findings
    }
}
