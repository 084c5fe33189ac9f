//! Results of checks on their way to the record.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use precip_core::{
    checks::stops_downstream, key::CheckKey, metadata::Metadata, plan::Step, spec::Severity,
};

use crate::{
    asset::{AssetError, CheckOutput},
    run::RunSession,
    state::{CheckEvaluation, CheckOutcome, PartitionRef},
};

impl RunSession {
    /// What the checks of a step found, as it goes on record.
    ///
    /// # Errors
    /// A result of a check that the step does not run, or about a partition it does not make.
    pub(super) fn evaluations(
        &self,
        results: Vec<CheckOutput>,
        step: &Step,
        targets: &[PartitionRef],
        attempt: u32,
        at: DateTime<Utc>,
    ) -> Result<Vec<CheckEvaluation>, AssetError> {
        let evaluation = |output: CheckOutput| {
            let target = targets.iter().find(|target| {
                target.asset == output.check.asset && target.partition == output.partition
            });
            match (target, self.blocking(&output.check)) {
                (Some(target), Some(blocking)) if step.checks.contains(&output.check) => {
                    Ok(CheckEvaluation {
                        target: target.clone(),
                        run: self.run,
                        attempt,
                        outcome: if output.result.passed {
                            CheckOutcome::Passed
                        } else {
                            CheckOutcome::Failed
                        },
                        severity: output.result.severity,
                        blocking,
                        description: output.result.description,
                        metadata: output.result.metadata,
                        check: output.check,
                        at,
                    })
                }
                _ => Err(AssetError::terminal(format!(
                    "op `{}` returned a result of check `{}`, which it was not asked for",
                    step.op, output.check
                ))),
            }
        };
        results.into_iter().map(evaluation).collect()
    }

    /// What goes on record of the checks of a step that could not be evaluated.
    pub(super) fn errored(
        &self,
        step: &Step,
        targets: &[PartitionRef],
        attempt: u32,
        at: DateTime<Utc>,
        error: &AssetError,
    ) -> Vec<CheckEvaluation> {
        let of_check = |check: &CheckKey| {
            let blocking = self.blocking(check).unwrap_or_default();
            let targets = targets.iter().filter(|target| target.asset == check.asset);
            let evaluation = |target: &PartitionRef| CheckEvaluation {
                check: check.clone(),
                target: target.clone(),
                run: self.run,
                attempt,
                outcome: CheckOutcome::Errored,
                severity: Severity::Error,
                blocking,
                description: Some(error.message().to_owned()),
                metadata: Metadata::new(),
                at,
            };
            targets.map(evaluation).collect::<Vec<_>>()
        };
        step.checks.iter().flat_map(of_check).collect()
    }

    fn blocking(&self, check: &CheckKey) -> Option<bool> {
        let graph = self.definitions.graph();
        Some(graph.check(graph.check_id(check)?).blocking)
    }
}

/// The blocking checks that found something wrong, by the ordinal of the partition.
pub(super) fn closed(evaluations: &[CheckEvaluation]) -> BTreeMap<u64, Vec<CheckKey>> {
    let mut closed: BTreeMap<u64, Vec<CheckKey>> = BTreeMap::new();
    for found in evaluations {
        let passed = found.outcome == CheckOutcome::Passed;
        if stops_downstream(found.blocking, passed, found.severity) {
            let checks = closed.entry(found.target.ordinal).or_default();
            checks.push(found.check.clone());
        }
    }
    closed
}
