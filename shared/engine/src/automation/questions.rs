//! What the conditions of a project ask about, so that nothing else is read.

use precip_core::{
    automation::{AutomationCondition, ConditionKind},
    graph::AssetGraph,
};

/// What some conditions ask for beside the status sets and the latest materializations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Questions {
    /// Whether an update brought another data version than the one before it.
    pub(super) data_versions: bool,
    /// What runs were asked for, or their tags.
    pub(super) runs: bool,
    /// How checks ended.
    pub(super) checks: bool,
    /// The latest materialization of every partition, and not only of those that are new.
    pub(super) latest: bool,
}

impl Questions {
    /// What the conditions of all assets of a graph ask.
    pub(super) fn of(graph: &AssetGraph) -> Self {
        let mut questions = Self::default();
        for asset in graph.ids() {
            if let Some(condition) = &graph.asset(asset).automation {
                questions.add(condition, false);
            }
        }
        questions
    }

    /// `new`: whether it is asked of new partitions only.
    fn add(&mut self, condition: &AutomationCondition, new: bool) {
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
                // Each is asked of what those before it are true of.
                let mut new = new;
                for operand in operands {
                    self.add(operand, new);
                    new |= matches!(operand.kind, K::NewlyUpdated | K::DataVersionChanged);
                }
                return;
            }
            K::Or(_) | K::Not(_) => {
                for child in condition.children() {
                    self.add(child, new);
                }
                return;
            }
            _ => {}
        }
        // The others ask elsewhere, or of all partitions.
        for child in condition.children() {
            self.add(child, false);
        }
    }
}
