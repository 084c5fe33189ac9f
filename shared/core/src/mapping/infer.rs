//! Defaults: the mapping where none is declared, and the dimension where none is named.

use super::PartitionMapping;
use crate::partitions::{MultiPartitions, PartitionsDefinition};

/// Returns the mapping that applies where none is declared.
pub(super) fn infer_mapping(
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
) -> PartitionMapping {
    let (Some(upstream), Some(downstream)) = (upstream, downstream) else {
        return PartitionMapping::All;
    };
    // Ambiguous dimensions fall back to an identity mapping, which then fails validation.
    if SharedDimension::find_between(upstream, downstream, None).is_ok() {
        return PartitionMapping::MultiToSingle { dimension: None };
    }
    match (upstream, downstream) {
        (PartitionsDefinition::TimeWindow(_), PartitionsDefinition::TimeWindow(_)) => {
            PartitionMapping::OVERLAPPING
        }
        _ => PartitionMapping::Identity,
    }
}

/// The dimension of the multi-dimensional side that corresponds to the other side.
pub(super) struct SharedDimension {
    /// Its position in the order of names.
    pub(super) position: usize,
    pub(super) mapping: PartitionMapping,
    pub(super) upstream_is_multi: bool,
}

impl SharedDimension {
    /// Finds the dimension. If several equal the other side, `named` selects one.
    pub(super) fn find_between(
        upstream: &PartitionsDefinition,
        downstream: &PartitionsDefinition,
        named: Option<&str>,
    ) -> Result<Self, String> {
        let (multi, single, upstream_is_multi) = match (upstream, downstream) {
            (PartitionsDefinition::Multi(_), PartitionsDefinition::Multi(_)) => {
                return Err(
                    "both sides have several dimensions: write a `multi` mapping that pairs \
                     them"
                        .to_owned(),
                );
            }
            (PartitionsDefinition::Multi(multi), single) => (multi, single, true),
            (single, PartitionsDefinition::Multi(multi)) => (multi, single, false),
            _ => {
                return Err(
                    "neither side has several dimensions: leave the mapping out, or write \
                    one that fits the definitions"
                        .to_owned(),
                );
            }
        };
        let (position, mapping) = dimension_of(multi, single, named)?;
        Ok(Self {
            position,
            mapping,
            upstream_is_multi,
        })
    }
}

/// Finds the dimension equal to `single`, or else the only dimension of time if `single` is of time
/// too.
fn dimension_of(
    multi: &MultiPartitions,
    single: &PartitionsDefinition,
    named: Option<&str>,
) -> Result<(usize, PartitionMapping), String> {
    // A dimension equal to the other side comes first, then the dimension of time.
    let equal: Vec<(usize, &str)> = multi
        .dimensions()
        .enumerate()
        .filter(|(_, (_, dimension))| *dimension == single)
        .map(|(position, (name, _))| (position, name))
        .collect();
    match equal.as_slice() {
        [] => {}
        [(position, _)] => return Ok((*position, PartitionMapping::Identity)),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| *name).collect();
            return several
                .iter()
                .find(|(_, name)| Some(*name) == named)
                .map(|(position, _)| (*position, PartitionMapping::Identity))
                .ok_or_else(|| {
                    format!(
                        "dimensions {} all equal the other side: name the intended one, such as \
                         `dimension = \"{}\"`",
                        crate::prose::and_list(&names),
                        names[0]
                    )
                });
        }
    }
    match (multi.time_dimension(), single) {
        (Some((name, _)), PartitionsDefinition::TimeWindow(_)) => {
            let position = multi.position(name).unwrap_or_default();
            Ok((position, PartitionMapping::OVERLAPPING))
        }
        _ => {
            let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
            Err(format!(
                "the side with one dimension equals none of {}, and the sides do not both have exactly \
                 one dimension of time: partition it like one of the dimensions, or write another \
                 mapping, such as `all`",
                crate::prose::or_list(&names)
            ))
        }
    }
}
