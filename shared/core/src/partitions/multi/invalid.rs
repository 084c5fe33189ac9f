//! The checks on dimensions that are to be multiplied.

use std::{collections::BTreeMap, sync::Arc};

use crate::partitions::{PartitionKey, PartitionsDefinition};

/// Dimensions that cannot be multiplied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMultiPartitions {
    /// Fewer than two dimensions.
    #[error(
        "a multi-dimensional definition needs at least two dimensions, and this one has {count}: add another, or use the dimension's own definition"
    )]
    TooFew {
        /// The number of dimensions.
        count: usize,
    },
    /// Two dimensions with the same name.
    #[error("dimension `{dimension}` is given twice: give each dimension a name of its own")]
    DuplicateDimension {
        /// The duplicate name.
        dimension: String,
    },
    /// A dimension without a name.
    #[error("a dimension's name is empty: give each dimension a name")]
    UnnamedDimension,
    /// A dimension that is multi-dimensional itself.
    #[error(
        "dimension `{dimension}` is multi-dimensional itself: list its dimensions with the others"
    )]
    Nested {
        /// The dimension.
        dimension: String,
    },
    /// A key that looks like a joined key or a list of keys.
    #[error(
        "key `{key}` of dimension `{dimension}` contains `{character}`: in a dimension, keys cannot contain `|`, `,`, `[` or `]`, which write combined keys and lists"
    )]
    AmbiguousKey {
        /// The dimension.
        dimension: String,
        /// The key.
        key: PartitionKey,
        /// The forbidden character.
        character: char,
    },
    /// Dimensions of fixed size with too many combinations for stable ordinals.
    #[error(
        "the dimensions of fixed size have more than {limit} combinations: use fewer keys or fewer dimensions"
    )]
    TooManyCombinations {
        /// The greatest allowed number of combinations.
        limit: u64,
    },
}

/// Checks that dimensions can be multiplied.
pub(super) fn check_dimensions(
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
            // Only fixed keys are known here; windows and dynamic keys come into being later.
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
