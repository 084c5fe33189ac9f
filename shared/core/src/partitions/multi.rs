//! [`MultiPartitions`]: the product of several dimensions.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::PartitionsDefinition;

/// The product of two or more named dimensions, each a partitions definition of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultiPartitions {
    dimensions: BTreeMap<String, Arc<PartitionsDefinition>>,
}

/// Dimensions that cannot be multiplied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMultiPartitions {
    /// Fewer than two dimensions.
    #[error("a multi-dimensional definition needs at least two dimensions")]
    TooFew,
}
