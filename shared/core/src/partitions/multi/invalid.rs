//! Which dimensions may be multiplied.

use std::{collections::BTreeMap, sync::Arc};

use crate::partitions::{PartitionKey, PartitionsDefinition};

/// Dimensions that cannot be multiplied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMultiPartitions {
    /// Fewer than two dimensions.
    #[error(
        "a multi-dimensional definition needs at least two dimensions, and this one has {count}: add another, or use the dimension's own definition"
    )]
    TooFew {
        /// How many there are.
        count: usize,
    },
    /// Two dimensions have one name.
    #[error("dimension `{dimension}` comes twice: give each dimension a name of its own")]
    DuplicateDimension {
        /// The name.
        dimension: String,
    },
    /// A dimension without a name.
    #[error("a dimension's name is empty: give each dimension a name")]
    UnnamedDimension,
    /// A dimension has dimensions itself.
    #[error(
        "dimension `{dimension}` is multi-dimensional itself: list its dimensions beside the others"
    )]
    Nested {
        /// The dimension.
        dimension: String,
    },
    /// A key could not be told apart from a joined key or a list of keys.
    #[error(
        "key `{key}` of dimension `{dimension}` contains `{character}`: in a dimension, keys cannot contain `|`, `,`, `[` or `]`, which write combined keys and lists"
    )]
    AmbiguousKey {
        /// The dimension.
        dimension: String,
        /// The key.
        key: PartitionKey,
        /// What it may not contain here.
        character: char,
    },
    /// The dimensions of fixed size have too many combinations for stable ordinals.
    #[error(
        "the dimensions of fixed size have more than {limit} combinations: use fewer keys or fewer dimensions"
    )]
    TooManyCombinations {
        /// The most there may be.
        limit: u64,
    },
}

pub(super) fn check(
    dimensions: &BTreeMap<String, Arc<PartitionsDefinition>>,
) -> Result<(), InvalidMultiPartitions> {
    if dimensions.len() < 2 {
        return Err(InvalidMultiPartitions::TooFew {
            count: dimensions.len(),
        });
    }
    for (name, dimension) in dimensions {
        if name.is_empty() {
            return Err(InvalidMultiPartitions::UnnamedDimension);
        }
        match &**dimension {
            PartitionsDefinition::Multi(_) => {
                return Err(InvalidMultiPartitions::Nested {
                    dimension: name.clone(),
                });
            }
            PartitionsDefinition::Static(keys) => {
                for key in keys.keys() {
                    refuse_ambiguous(name, key)?;
                }
            }
            PartitionsDefinition::TimeWindow(_) | PartitionsDefinition::Dynamic(_) => {}
        }
    }
    Ok(())
}

fn refuse_ambiguous(dimension: &str, key: &PartitionKey) -> Result<(), InvalidMultiPartitions> {
    match key
        .as_str()
        .find(['|', ',', '[', ']'])
        .and_then(|at| key.as_str()[at..].chars().next())
    {
        None => Ok(()),
        Some(character) => Err(InvalidMultiPartitions::AmbiguousKey {
            dimension: dimension.to_owned(),
            key: key.clone(),
            character,
        }),
    }
}
