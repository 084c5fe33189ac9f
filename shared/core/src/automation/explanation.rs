//! Why partitions were requested, and why not: [`Explanation`].

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet},
};

/// What one condition was true of, and the same of its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The label of the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    /// The name of the node: a fact, an operator, or the asset or check that the part below it is
    /// asked of.
    pub name: Arc<str>,
    /// The asset whose partitions [`Self::partitions`] are.
    pub asset: AssetKey,
    /// How many partitions were asked about.
    pub candidates: u64,
    /// The partitions it was true of.
    pub partitions: PartitionSet,
    /// The parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Explanation>,
}

impl Explanation {
    /// The explanation as an indented tree, for people. Each line starts with `+` where the condition
    /// was true of some partition, with `-` where of none, and names the first partitions.
    pub fn render(&self, graph: &AssetGraph, context: &PartitionContext) -> String {
        Rendered {
            explanation: self,
            graph,
            context,
            depth: 0,
        }
        .to_string()
    }
}

/// How many partitions a line names.
const NAMED: usize = 3;

struct Rendered<'a> {
    explanation: &'a Explanation,
    graph: &'a AssetGraph,
    context: &'a PartitionContext,
    depth: usize,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation {
            label,
            name,
            asset,
            candidates,
            partitions,
            children,
        } = self.explanation;
        let sign = if partitions.is_empty() { '-' } else { '+' };
        write!(f, "{:indent$}{sign} ", "", indent = 2 * self.depth)?;
        match label {
            Some(label) => write!(f, "{label}")?,
            None => write!(f, "{name}")?,
        }
        let definition = self
            .graph
            .id(asset)
            .and_then(|id| self.graph.partitions(id));
        match definition {
            None => writeln!(f)?,
            // Nothing was left to be asked about once the conditions beside it were known.
            Some(_) if *candidates == 0 && partitions.is_empty() => writeln!(f, " (not asked)")?,
            Some(definition) => {
                write!(f, ": {}", partitions.len())?;
                // Some facts are known of more partitions than were asked about.
                if partitions.len() <= *candidates {
                    write!(f, " of {candidates}")?;
                }
                let named: Vec<PartitionKey> = definition
                    .keys(partitions, self.context)
                    .take(NAMED + 1)
                    .collect();
                for (place, key) in named.iter().take(NAMED).enumerate() {
                    write!(f, "{}{key}", if place == 0 { " (" } else { ", " })?;
                }
                match named.len() {
                    0 => writeln!(f)?,
                    1..=NAMED => writeln!(f, ")")?,
                    _ => writeln!(f, ", ..)")?,
                }
            }
        }
        for child in children {
            write!(
                f,
                "{}",
                Rendered {
                    explanation: child,
                    depth: self.depth + 1,
                    ..*self
                }
            )?;
        }
        Ok(())
    }
}
