//! [`TemplateFit`]: translating the key of an object into the partition it belongs to.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Captured, KeyTemplate, KeyValues};
use crate::{
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::{
        MultiPartitionKey, MultiPartitions, PartitionContext, PartitionKey, PartitionsDefinition,
        UnknownPartition,
    },
    prose::and_list,
};

/// A key template, fitted to the partitions of a sensor's target.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateFit {
    template: KeyTemplate,
    definition: Option<Arc<PartitionsDefinition>>,
}

/// A key template that does not fit a sensor's target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateFitError {
    /// The target is partitioned, and the template names no partition.
    #[error(
        "its key `{template}` names no partition, and `{asset}` has {wanted}: write the name in \
         braces at its position in the key, like `{example}`"
    )]
    NoNames {
        /// The template.
        template: String,
        /// An asset of the target.
        asset: String,
        /// A description of the asset's partitions.
        wanted: String,
        /// A template that fits.
        example: String,
    },
    /// The template names partitions, and the target is unpartitioned.
    #[error(
        "its key `{template}` names {names}, and none of the assets it makes is partitioned: \
         write `*` instead"
    )]
    Unpartitioned {
        /// The template.
        template: String,
        /// The names in it.
        names: String,
    },
    /// The template names other dimensions than the target has.
    #[error("its key `{template}` names {names}, and `{asset}` has {wanted}")]
    OtherNames {
        /// The template.
        template: String,
        /// The names in it.
        names: String,
        /// An asset of the target.
        asset: String,
        /// A description of the asset's partitions.
        wanted: String,
    },
    /// A name has a time format, and its dimension has no time windows.
    #[error(
        "its key `{template}` gives `{name}` a time format, and `{name}` has no time windows: \
         write `{{{name}}}`"
    )]
    NotTime {
        /// The template.
        template: String,
        /// The name.
        name: String,
    },
    /// The time format lacks a part of the partition keys.
    #[error(
        "its key `{template}` leaves out `{directive}` of `{name}`, and the partitions' keys are \
         written as `{fmt}`: add it"
    )]
    Coarse {
        /// The template.
        template: String,
        /// The name.
        name: String,
        /// The missing directive.
        directive: String,
        /// The format of the definition's keys.
        fmt: String,
    },
}

/// The partition and the values read from the key of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReading {
    /// The partition; `None` for an unpartitioned target.
    pub partition: Option<PartitionKey>,
    /// The keys to add to dynamic partitions first: the name of the set, and the key.
    pub added: Vec<(String, PartitionKey)>,
    /// The values by name.
    pub values: KeyValues,
}

/// An object key that matches its template and belongs to no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPartitionError {
    /// The time window of the partition has not ended.
    #[error("partition `{partition}` does not exist before {}", .at.format("%Y-%m-%dT%H:%M:%SZ"))]
    NotYet {
        /// The partition.
        partition: PartitionKey,
        /// The end of the window.
        at: DateTime<Utc>,
    },
    /// The partition does not exist.
    #[error(transparent)]
    Unknown(#[from] UnknownPartition),
}

impl TemplateFit {
    /// Fits a template to a sensor's target: to the partitions of its first asset, in topological
    /// order, whose dimensions are those that the template names.
    ///
    /// # Errors
    /// [`TemplateFitError`] about the first partitioned asset, when the template fits none.
    pub fn new(
        template: &KeyTemplate,
        graph: &AssetGraph,
        target: &AssetSet,
    ) -> Result<Self, TemplateFitError> {
        let partitioned = graph
            .topological()
            .iter()
            .copied()
            .filter(|asset| target.contains(*asset));
        let mut refusal = None;
        for asset in partitioned {
            let Some(definition) = &graph.asset(asset).partitions else {
                continue;
            };
            match check_fit(template, graph, asset, definition) {
                Ok(()) => {
                    return Ok(Self {
                        template: template.clone(),
                        definition: Some(Arc::clone(definition)),
                    });
                }
                Err(misfit) => {
                    refusal.get_or_insert(misfit);
                }
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None if template.names().is_empty() => Ok(Self {
                template: template.clone(),
                definition: None,
            }),
            None => Err(TemplateFitError::Unpartitioned {
                template: template.to_string(),
                names: list_names(template),
            }),
        }
    }

    /// Returns the definition that the keys are read for; `None` for an unpartitioned target.
    pub fn definition(&self) -> Option<&PartitionsDefinition> {
        self.definition.as_deref()
    }

    /// Reads an object key; `None` when it does not match the template. Of several readings, the
    /// first whose partition exists counts. If there is none, the first reading that adds a key to
    /// a dynamic set counts.
    ///
    /// # Errors
    /// [`NoPartitionError`] about the first reading.
    pub fn read_key(
        &self,
        key: &str,
        context: &PartitionContext,
    ) -> Result<Option<KeyReading>, NoPartitionError> {
        let mut refusal = None;
        let mut adding = None;
        // Readings come in the order of preference: the first with an existing partition wins.
        for values in self.template.read_key(key) {
            match self.partition_of(&values, context) {
                Ok((partition, added)) => {
                    let made = KeyReading {
                        partition,
                        added,
                        values,
                    };
                    if made.added.is_empty() {
                        return Ok(Some(made));
                    }
                    adding.get_or_insert(made);
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        match (adding, refusal) {
            (Some(made), _) => Ok(Some(made)),
            (None, Some(refusal)) => Err(refusal),
            (None, None) => Ok(None),
        }
    }

    /// Returns the partition that the values of a reading name.
    fn partition_of(
        &self,
        values: &KeyValues,
        context: &PartitionContext,
    ) -> Result<PartitionAndAdded, NoPartitionError> {
        match self.definition.as_deref() {
            None => Ok((None, Vec::new())),
            Some(PartitionsDefinition::Multi(multi)) => {
                Self::multi_partition_of(multi, values, context)
            }
            Some(definition) => {
                let value = values.0.values().next();
                let key = value
                    .map(|value| format_key(value, definition))
                    .unwrap_or_default();
                let added = key_to_add(definition, &key, context)?;
                Ok((Some(key.into()), added))
            }
        }
    }

    /// Returns the multi-dimensional partition that the values of a reading name.
    fn multi_partition_of(
        multi: &MultiPartitions,
        values: &KeyValues,
        context: &PartitionContext,
    ) -> Result<PartitionAndAdded, NoPartitionError> {
        let mut keys = std::collections::BTreeMap::new();
        let mut added = Vec::new();
        for (name, dimension) in multi.dimensions() {
            let value = values.get(name).map(|value| format_key(value, dimension));
            let key = value.unwrap_or_default();
            added.extend(key_to_add(dimension, &key, context)?);
            keys.insert(name.to_owned(), PartitionKey::from(key));
        }
        let key = MultiPartitionKey(keys).to_key();
        let whole = PartitionsDefinition::Multi(multi.clone());
        if added.is_empty() && !whole.contains(key.as_str(), context) {
            // A part that contains the separator: the dimension has it, the product does not.
            whole.ordinal(&key, context)?;
        }
        Ok((Some(key), added))
    }
}

/// A partition, and the keys to add to dynamic sets first.
type PartitionAndAdded = (Option<PartitionKey>, Vec<(String, PartitionKey)>);

/// Checks that a definition has a key. Returns the key to add where a dynamic set lacks it.
fn key_to_add(
    definition: &PartitionsDefinition,
    key: &str,
    context: &PartitionContext,
) -> Result<Vec<(String, PartitionKey)>, NoPartitionError> {
    if definition.contains(key, context) {
        return Ok(Vec::new());
    }
    let partition = PartitionKey::from(key);
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => Ok(vec![(dynamic.name.clone(), partition)]),
        PartitionsDefinition::TimeWindow(windows) => {
            // A window within the bounds that has not ended yet is reported with its end.
            let window = windows
                .ordinal(key)
                .and_then(|ordinal| windows.window(ordinal));
            match window {
                Some(window) if windows.end().is_none_or(|end| window.end <= end) => {
                    Err(NoPartitionError::NotYet {
                        partition,
                        at: window.end,
                    })
                }
                _ => Err(unknown_key(definition, &partition, context)),
            }
        }
        _ => Err(unknown_key(definition, &partition, context)),
    }
}

/// Returns the definition's error for a key that it does not have.
fn unknown_key(
    definition: &PartitionsDefinition,
    key: &PartitionKey,
    context: &PartitionContext,
) -> NoPartitionError {
    match definition.ordinal(key, context) {
        Err(unknown) => unknown.into(),
        // Not reached: the caller has checked that the key does not exist.
        Ok(_) => NoPartitionError::NotYet {
            partition: key.clone(),
            at: context.now,
        },
    }
}

/// Formats a value as a key of the definition.
fn format_key(value: &Captured, definition: &PartitionsDefinition) -> String {
    match (value, definition) {
        (Captured::Moment { digits, .. }, PartitionsDefinition::TimeWindow(windows)) => {
            let mut key = String::new();
            let mut rest = windows.fmt().as_str().chars();
            // Walks the key format of the windows and fills each directive from the key of the object.
            while let Some(character) = rest.next() {
                match (character, rest.clone().next()) {
                    ('%', Some(directive)) => {
                        rest.next();
                        match digits.get(&directive) {
                            Some(found) => key.push_str(found),
                            None => key.push(directive),
                        }
                    }
                    _ => key.push(character),
                }
            }
            key
        }
        _ => value.text().to_owned(),
    }
}

/// Lists the names of a template.
fn list_names(template: &KeyTemplate) -> String {
    and_list(&template.names())
}

/// Checks that a template names the dimensions of a definition, and all parts of its time keys.
fn check_fit(
    template: &KeyTemplate,
    graph: &AssetGraph,
    asset: AssetId,
    definition: &PartitionsDefinition,
) -> Result<(), TemplateFitError> {
    // A multi-dimensional target needs exactly its dimensions, any other exactly one name.
    let given = template.names();
    let (fits, wanted, example) = match definition {
        PartitionsDefinition::Multi(multi) => {
            let wanted: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
            let fits =
                wanted.len() == given.len() && wanted.iter().all(|name| given.contains(name));
            let named: Vec<String> = wanted.iter().map(|name| format!("{{{name}}}")).collect();
            (
                fits,
                format!("the dimensions {}", and_list(&wanted)),
                named.join("/"),
            )
        }
        _ => (
            given.len() == 1,
            "partitions of one dimension".to_owned(),
            "{date}".to_owned(),
        ),
    };
    let asset_name = graph.key(asset).to_string();
    if given.is_empty() {
        return Err(TemplateFitError::NoNames {
            template: template.to_string(),
            asset: asset_name,
            wanted,
            example,
        });
    }
    if !fits {
        return Err(TemplateFitError::OtherNames {
            template: template.to_string(),
            names: list_names(template),
            asset: asset_name,
            wanted,
        });
    }
    // A time format may add parts to a key, but may not leave out any that the key has.
    for (name, format) in template.time_formats() {
        let dimension = match definition {
            PartitionsDefinition::Multi(multi) => multi.dimension(name),
            definition => Some(definition),
        };
        let Some(PartitionsDefinition::TimeWindow(windows)) = dimension else {
            return Err(TemplateFitError::NotTime {
                template: template.to_string(),
                name: name.to_owned(),
            });
        };
        let mut rest = windows.fmt().as_str().chars();
        while let Some(character) = rest.next() {
            let directive = if character == '%' { rest.next() } else { None };
            let missing =
                directive.filter(|directive| *directive != '%' && !format.contains(directive));
            if let Some(missing) = missing {
                return Err(TemplateFitError::Coarse {
                    template: template.to_string(),
                    name: name.to_owned(),
                    directive: format!("%{missing}"),
                    fmt: windows.fmt().to_string(),
                });
            }
        }
    }
    Ok(())
}
