//! Conversion of check results to the evaluations that are recorded.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use precip_core::{
    checks::stops_downstream,
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    plan::Step,
    spec::Severity,
};

use crate::{
    asset::{AssetError, CheckOutput},
    run::RunSession,
    state::{CheckEvaluation, CheckOutcome, PartitionRef},
};

impl RunSession {
    /// Converts the results of a step's checks to the evaluations that are recorded.
    ///
    /// # Errors
    /// A result of a check that the step does not run, or of a partition that is not in `targets`.
    pub(super) fn check_evaluations(
        &self,
        results: Vec<CheckOutput>,
        step: &Step,
        targets: &[PartitionRef],
        attempt: u32,
        at: DateTime<Utc>,
    ) -> Result<Vec<CheckEvaluation>, AssetError> {
        let evaluation = |output: CheckOutput| {
            // Only the checks and partitions of this step may be reported.
            let target = targets.iter().find(|target| {
                target.asset == output.check.asset && target.partition == output.partition
            });
            match (target, self.is_blocking(&output.check)) {
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

    /// Returns the evaluations that record the checks of a step as errored.
    pub(super) fn errored_evaluations(
        &self,
        step: &Step,
        targets: &[PartitionRef],
        attempt: u32,
        at: DateTime<Utc>,
        error: &AssetError,
    ) -> Vec<CheckEvaluation> {
        let of_check = |check: &CheckKey| {
            let blocking = self.is_blocking(check).unwrap_or_default();
            let checked = targets.iter().filter(|target| target.asset == check.asset);
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
            checked.map(evaluation).collect::<Vec<_>>()
        };
        step.checks.iter().flat_map(of_check).collect()
    }

    /// Returns whether a check is blocking; `None` for a check that the project does not declare.
    fn is_blocking(&self, check: &CheckKey) -> Option<bool> {
        let graph = self.definitions.graph();
        Some(graph.check(graph.check_id(check)?).blocking)
    }
}

/// Returns the failed blocking checks, by asset and by the ordinal of the partition.
pub(super) fn failed_blocking_checks(
    evaluations: &[CheckEvaluation],
) -> BTreeMap<(u64, AssetKey), Vec<CheckKey>> {
    let mut failed: BTreeMap<(u64, AssetKey), Vec<CheckKey>> = BTreeMap::new();
    for evaluation in evaluations {
        let passed = evaluation.outcome == CheckOutcome::Passed;
        if stops_downstream(evaluation.blocking, passed, evaluation.severity) {
            let target = &evaluation.target;
            let checks = failed.entry((target.ordinal, target.asset.clone()));
            checks.or_default().push(evaluation.check.clone());
        }
    }
    failed
}
