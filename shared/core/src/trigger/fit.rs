//! [`TemplateFit`]: from the key of an object to the partition it belongs to.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Captured, KeyTemplate, KeyValues};
use crate::{
    graph::{AssetGraph, AssetId, AssetSet},
    nearest::or_list,
    partitions::{
        MultiPartitionKey, MultiPartitions, PartitionContext, PartitionKey, PartitionsDefinition,
        UnknownPartition,
    },
};

/// A template of keys, fitted to the partitions of what a sensor makes.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateFit {
    template: KeyTemplate,
    definition: Option<Arc<PartitionsDefinition>>,
}

/// Why a template does not fit what a sensor makes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The target is partitioned, and the template names no partition.
    #[error(
        "its key `{template}` names no partition, and `{asset}` has {wanted}: write the name in \
         braces where it stands in the key, like `{example}`"
    )]
    NoNames {
        /// The template.
        template: String,
        /// An asset of the target.
        asset: String,
        /// What the asset's partitions are.
        wanted: String,
        /// A template that would do.
        example: String,
    },
    /// The template names partitions, and the target has none.
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
        /// What the asset's partitions are.
        wanted: String,
    },
    /// A name has the form of a moment, and its dimension is not divided by time.
    #[error(
        "its key `{template}` gives `{name}` the form of a moment, and `{name}` is not divided by \
         time: write `{{{name}}}`"
    )]
    NotTime {
        /// The template.
        template: String,
        /// The name.
        name: String,
    },
    /// The key does not say all that the keys of the windows say.
    #[error(
        "its key `{template}` leaves out `{directive}` of `{name}`, and the partitions' keys are \
         written as `{fmt}`: add it"
    )]
    Coarse {
        /// The template.
        template: String,
        /// The name.
        name: String,
        /// What is left out.
        directive: String,
        /// How the definition writes its keys.
        fmt: String,
    },
}

/// What the key of an object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// The partition; `None` where the target has none.
    pub partition: Option<PartitionKey>,
    /// Keys of dynamic sets that are to be added first: set and key.
    pub added: Vec<(String, PartitionKey)>,
    /// The values by name.
    pub values: KeyValues,
}

/// Why a key that fits its template names no partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPartition {
    /// Its window has not ended.
    #[error("partition `{partition}` does not exist before {}", .at.format("%Y-%m-%dT%H:%M:%SZ"))]
    NotYet {
        /// The partition.
        partition: PartitionKey,
        /// When the window ends.
        at: DateTime<Utc>,
    },
    /// There is no such partition.
    #[error(transparent)]
    Unknown(#[from] UnknownPartition),
}

impl TemplateFit {
    /// Fits a template to the assets that a sensor makes: to the partitions of the first of them, in
    /// the order of the graph, whose dimensions are those that the template names.
    ///
    /// # Errors
    /// [`Misfit`] when there is none, about the first asset that is partitioned.
    pub fn new(
        template: &KeyTemplate,
        graph: &AssetGraph,
        target: &AssetSet,
    ) -> Result<Self, Misfit> {
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
            match check(template, graph, asset, definition) {
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
            None => Err(Misfit::Unpartitioned {
                template: template.to_string(),
                names: names(template),
            }),
        }
    }

    /// The definition whose keys are read; `None` where the target is unpartitioned.
    pub fn definition(&self) -> Option<&PartitionsDefinition> {
        self.definition.as_deref()
    }

    /// What a key says; `None` when it does not fit the template. Of the ways in which it can be
    /// read, it is the first whose partition exists. A key that a dynamic set does not have yet is
    /// answered as one to be added, in the first way of reading.
    ///
    /// # Errors
    /// [`NoPartition`], about the first way of reading the key.
    pub fn read(
        &self,
        key: &str,
        context: &PartitionContext,
    ) -> Result<Option<MadeKey>, NoPartition> {
        let mut refusal = None;
        let mut adding = None;
        for values in self.template.read(key) {
            match self.partition(&values, context) {
                Ok((partition, added)) => {
                    let made = MadeKey {
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

    fn partition(
        &self,
        values: &KeyValues,
        context: &PartitionContext,
    ) -> Result<Made, NoPartition> {
        match self.definition.as_deref() {
            None => Ok((None, Vec::new())),
            Some(PartitionsDefinition::Multi(multi)) => Self::joined(multi, values, context),
            Some(definition) => {
                let value = values.0.values().next();
                let key = value.map(|value| written(value, definition));
                let key = key.unwrap_or_default();
                let added = exists(definition, &key, context)?;
                Ok((Some(key.into()), added))
            }
        }
    }

    fn joined(
        multi: &MultiPartitions,
        values: &KeyValues,
        context: &PartitionContext,
    ) -> Result<Made, NoPartition> {
        let mut keys = std::collections::BTreeMap::new();
        let mut added = Vec::new();
        for (name, dimension) in multi.dimensions() {
            let value = values.get(name).map(|value| written(value, dimension));
            let key = value.unwrap_or_default();
            added.extend(exists(dimension, &key, context)?);
            keys.insert(name.to_owned(), PartitionKey::from(key));
        }
        let key = MultiPartitionKey(keys).to_key();
        let whole = PartitionsDefinition::Multi(multi.clone());
        if added.is_empty() && !whole.contains(key.as_str(), context) {
            // A part with the separator in it: the dimension has it, the product does not.
            whole.ordinal(&key, context)?;
        }
        Ok((Some(key), added))
    }
}

/// A partition, and the keys to add to dynamic sets first.
type Made = (Option<PartitionKey>, Vec<(String, PartitionKey)>);

/// Whether a definition has a key; what is to be added to it first when it may.
fn exists(
    definition: &PartitionsDefinition,
    key: &str,
    context: &PartitionContext,
) -> Result<Vec<(String, PartitionKey)>, NoPartition> {
    if definition.contains(key, context) {
        return Ok(Vec::new());
    }
    let partition = PartitionKey::from(key);
    match definition {
        PartitionsDefinition::Dynamic(dynamic) => Ok(vec![(dynamic.name.clone(), partition)]),
        PartitionsDefinition::TimeWindow(windows) => {
            let window = windows
                .ordinal(key)
                .and_then(|ordinal| windows.window(ordinal));
            match window {
                Some(window) if windows.end().is_none_or(|end| window.end <= end) => {
                    Err(NoPartition::NotYet {
                        partition,
                        at: window.end,
                    })
                }
                _ => Err(refused(definition, &partition, context)),
            }
        }
        _ => Err(refused(definition, &partition, context)),
    }
}

fn refused(
    definition: &PartitionsDefinition,
    key: &PartitionKey,
    context: &PartitionContext,
) -> NoPartition {
    match definition.ordinal(key, context) {
        Err(unknown) => unknown.into(),
        // Not reached: whoever calls has looked.
        Ok(_) => NoPartition::NotYet {
            partition: key.clone(),
            at: context.now,
        },
    }
}

/// A value as the definition writes its keys.
fn written(value: &Captured, definition: &PartitionsDefinition) -> String {
    match (value, definition) {
        (Captured::Moment { digits, .. }, PartitionsDefinition::TimeWindow(windows)) => {
            let mut key = String::new();
            let mut rest = windows.fmt().as_str().chars();
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

fn names(template: &KeyTemplate) -> String {
    or_list(&template.names()).replace(" or ", " and ")
}

fn check(
    template: &KeyTemplate,
    graph: &AssetGraph,
    asset: AssetId,
    definition: &PartitionsDefinition,
) -> Result<(), Misfit> {
    let given = template.names();
    let (fits, wanted, example) = match definition {
        PartitionsDefinition::Multi(multi) => {
            let wanted: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
            let fits =
                wanted.len() == given.len() && wanted.iter().all(|name| given.contains(name));
            let named: Vec<String> = wanted.iter().map(|name| format!("{{{name}}}")).collect();
            (
                fits,
                format!(
                    "the dimensions {}",
                    or_list(&wanted).replace(" or ", " and ")
                ),
                named.join("/"),
            )
        }
        _ => (
            given.len() == 1,
            "partitions of one dimension".to_owned(),
            "{date}".to_owned(),
        ),
    };
    let shown = graph.key(asset).to_string();
    if given.is_empty() {
        return Err(Misfit::NoNames {
            template: template.to_string(),
            asset: shown,
            wanted,
            example,
        });
    }
    if !fits {
        return Err(Misfit::OtherNames {
            template: template.to_string(),
            names: names(template),
            asset: shown,
            wanted,
        });
    }
    for (name, format) in template.formats() {
        let dimension = match definition {
            PartitionsDefinition::Multi(multi) => multi.dimension(name),
            definition => Some(definition),
        };
        let Some(PartitionsDefinition::TimeWindow(windows)) = dimension else {
            return Err(Misfit::NotTime {
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
                return Err(Misfit::Coarse {
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
