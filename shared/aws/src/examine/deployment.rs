//! [`Deployment`].

use async_trait::async_trait;
use precip_engine::deployment::{Examine, Finding};

use super::{bucket, identity, machine, table};
use crate::{Aws, launch::MachineArn};

/// A deployed project, by the names of its parts.
#[derive(Debug, Clone)]
pub struct Deployment {
    aws: Aws,
    table: String,
    bucket: String,
    machine: MachineArn,
}

impl Deployment {
    /// The deployment whose record, files and state machine have these names.
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
impl Examine for Deployment {
    /// Credentials, region, table, bucket, state machines. Without credentials or a region nothing
    /// else is asked: every call would fail for that reason.
    async fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![
            identity::credentials(&self.aws).await,
            identity::region(&self.aws, &self.machine),
        ];
        if findings.iter().any(|finding| finding.problem.is_some()) {
            return findings;
        }
        findings.push(table::examine(&self.aws, &self.table).await);
        findings.push(bucket::examine(&self.aws, &self.bucket).await);
        for machine in [self.machine.to_string(), self.machine.backfill()] {
            findings.push(machine::examine(&self.aws, &machine).await);
        }
        findings
    }
}
