//! [`StepOutcome`]: the outcome of partitions of a step.

use crate::{key::AssetKey, partitions::PartitionSet};

/// The outcome of partitions of a step.
///
/// The first three sets say how the *op* ended for each partition. What happens downstream follows
/// from [`losses`](Self::losses), which name single assets: a multi-asset may have failed one of its
/// outputs, and what is made from the others runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepOutcome {
    /// The partitions that the op succeeded for.
    pub succeeded: PartitionSet,
    /// The partitions that the op, or a blocking check of one of its assets, failed for.
    pub failed: PartitionSet,
    /// The partitions that the op had nothing to make for, of any asset.
    pub skipped: PartitionSet,
    /// The data that downstream steps miss.
    pub losses: Vec<Loss>,
}

/// Partitions of an asset that downstream steps miss.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The asset; `None` for every asset of the step, or for the asset that it checks.
    pub asset: Option<AssetKey>,
    /// The partitions.
    pub partitions: PartitionSet,
    /// The cause.
    pub cause: LossCause,
}

/// The cause of a [`Loss`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossCause {
    /// The partitions failed: everything that depends on them is held back.
    Failed,
    /// There was nothing to make: what [needs](crate::spec::DepNeed) the partitions is skipped.
    Skipped,
}

impl StepOutcome {
    /// Creates the outcome of an op that makes all of its assets for a partition or none.
    pub fn new(succeeded: PartitionSet, failed: PartitionSet) -> Self {
        Self {
            succeeded,
            skipped: PartitionSet::empty(),
            losses: vec![Loss {
                asset: None,
                partitions: failed.clone(),
                cause: LossCause::Failed,
            }],
            failed,
        }
    }

    /// Creates the outcome of partitions that succeeded.
    pub fn succeeded(partitions: PartitionSet) -> Self {
        Self {
            succeeded: partitions,
            ..Self::default()
        }
    }

    /// Creates the outcome of partitions that there was nothing to make for.
    pub fn skipped(partitions: PartitionSet) -> Self {
        Self {
            losses: vec![Loss {
                asset: None,
                partitions: partitions.clone(),
                cause: LossCause::Skipped,
            }],
            skipped: partitions,
            ..Self::default()
        }
    }

    /// Adds partitions of one asset that downstream steps miss.
    pub fn add_loss(&mut self, asset: AssetKey, partitions: PartitionSet, cause: LossCause) {
        self.losses.push(Loss {
            asset: Some(asset),
            partitions,
            cause,
        });
    }

    /// Removes partitions, as if they had not ended.
    pub fn remove_partitions(&mut self, partitions: &PartitionSet) {
        let sets = [&mut self.succeeded, &mut self.failed, &mut self.skipped];
        let lost = self.losses.iter_mut().map(|loss| &mut loss.partitions);
        for set in sets.into_iter().chain(lost) {
            *set -= partitions;
        }
    }

    /// Returns every partition that has ended.
    pub fn ended(&self) -> PartitionSet {
        let mut ended = &self.succeeded | &self.failed;
        ended |= &self.skipped;
        ended
    }
}
