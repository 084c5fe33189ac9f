//! The facts that a project's conditions need, so that nothing else is read.

use precip_core::{
    automation::{AutomationCondition, ConditionKind},
    graph::AssetGraph,
};

/// The facts that conditions need beyond the status sets and the new updates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RequiredFacts {
    /// `true` if a condition compares data versions of consecutive materializations.
    pub(super) data_versions: bool,
    /// `true` if a condition reads the assets or tags of runs.
    pub(super) runs: bool,
    /// `true` if a condition reads the outcomes of checks.
    pub(super) checks: bool,
    /// `true` if a condition reads the latest materialization of every partition, not only of new ones.
    pub(super) latest: bool,
}

impl RequiredFacts {
    /// Collects the needs of all conditions of a graph.
    pub(super) fn of_graph(graph: &AssetGraph) -> Self {
        let mut required = Self::default();
        for asset in graph.ids() {
            if let Some(condition) = &graph.asset(asset).automation {
                required.add_condition(condition, false);
            }
        }
        required
    }

    /// Adds the needs of a condition. `new` is `true` if it is evaluated on new partitions only.
    fn add_condition(&mut self, condition: &AutomationCondition, new: bool) {
        use ConditionKind as K;
        match &condition.kind {
            K::DataVersionChanged => self.data_versions = true,
            K::ExecutedWithRootTarget | K::ExecutedWithTags(_) => {
                self.runs = true;
                self.latest |= !new;
            }
            K::AnyNewUpdateHasRunTags(_) | K::AllNewUpdatesHaveRunTags(_) => self.runs = true,
            K::AnyChecksMatch { .. } | K::AllChecksMatch { .. } => {
                self.checks = true;
                self.latest = true;
            }
            K::And(operands) => {
                // An operand is evaluated only where the operands before it hold, so behind
                // `newly_updated` it sees new partitions only.
                let mut narrowed = new;
                for operand in operands {
                    self.add_condition(operand, narrowed);
                    narrowed |= matches!(operand.kind, K::NewlyUpdated | K::DataVersionChanged);
                }
                return;
            }
            K::Or(_) | K::Not(_) => {
                for child in condition.children() {
                    self.add_condition(child, new);
                }
                return;
            }
            _ => {}
        }
        // Other conditions evaluate their children on other assets or on all partitions.
        for child in condition.children() {
            self.add_condition(child, false);
        }
    }
}
