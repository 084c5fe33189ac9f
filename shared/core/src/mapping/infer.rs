//! Which mapping stands where none is given, and which dimension of several is meant.

use super::PartitionMapping;
use crate::partitions::{MultiPartitions, PartitionsDefinition};

pub(super) fn infer(
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
) -> PartitionMapping {
    let (Some(upstream), Some(downstream)) = (upstream, downstream) else {
        return PartitionMapping::All;
    };
    if SharedDimension::between(upstream, downstream, None).is_ok() {
        return PartitionMapping::MultiToSingle { dimension: None };
    }
    match (upstream, downstream) {
        (PartitionsDefinition::TimeWindow(_), PartitionsDefinition::TimeWindow(_)) => {
            PartitionMapping::OVERLAPPING
        }
        _ => PartitionMapping::Identity,
    }
}

/// The dimension of the many-dimensional side that the other side is mapped to.
pub(super) struct SharedDimension {
    /// Its place in the order of names.
    pub(super) position: usize,
    pub(super) mapping: PartitionMapping,
    pub(super) upstream_is_multi: bool,
}

impl SharedDimension {
    /// Finds the dimension; the name decides where several are equal to the other side.
    pub(super) fn between(
        upstream: &PartitionsDefinition,
        downstream: &PartitionsDefinition,
        named: Option<&str>,
    ) -> Result<Self, String> {
        let (multi, single, upstream_is_multi) = match (upstream, downstream) {
            (PartitionsDefinition::Multi(_), PartitionsDefinition::Multi(_)) => {
                return Err(
                    "both sides have several dimensions: write a `multi` mapping that says \
                    which dimension is which"
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

fn dimension_of(
    multi: &MultiPartitions,
    single: &PartitionsDefinition,
    named: Option<&str>,
) -> Result<(usize, PartitionMapping), String> {
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
                        "dimensions {} are all partitioned as the other side is: name the one that \
                         is meant, such as `dimension = \"{}\"`",
                        crate::nearest::or_list(&names).replace(" or ", " and "),
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
                "the side with one dimension is none of {}, and they do not both have exactly one \
                 dimension of time: partition it as one of the dimensions is, or write another \
                 mapping, such as `all`",
                crate::nearest::or_list(&names)
            ))
        }
    }
}
