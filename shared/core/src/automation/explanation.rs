//! [`Explanation`]: the reasons why partitions were requested or not.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet},
};

/// The result of one condition, with those of its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The label of the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Arc<str>>,
    /// The name of the node: a fact, an operator, or the asset or check that its operand is
    /// evaluated for.
    pub name: Arc<str>,
    /// The asset that [`Self::partitions`] belong to.
    pub asset: AssetKey,
    /// The number of partitions that were evaluated.
    pub candidates: u64,
    /// The partitions that the condition was true of.
    pub partitions: PartitionSet,
    /// The explanations of the parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Explanation>,
}

impl Explanation {
    /// Holds back partitions of which an upstream partition does not exist: a run of them could not be
    /// planned. A part of its own says so.
    pub(super) fn hold_back(&mut self, held: &PartitionSet) {
        if self.partitions.is_disjoint(held) {
            return;
        }
        let candidates = self.partitions.len();
        self.partitions -= held;
        self.children.push(Self {
            label: None,
            name: "all_upstream_partitions_exist".into(),
            asset: self.asset.clone(),
            candidates,
            partitions: self.partitions.clone(),
            children: Vec::new(),
        });
    }

    /// Formats the explanation as an indented tree. Each line starts with
    /// `+` if the condition was true of any partition, with `-` otherwise, and names the first
    /// partitions.
    pub fn render_tree(&self, graph: &AssetGraph, context: &PartitionContext) -> String {
        Rendered {
            explanation: self,
            graph,
            context,
            depth: 0,
        }
        .to_string()
    }
}

/// The number of partitions that a line names.
const NAMED: usize = 3;

/// A node of the tree at a depth.
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
        // Unpartitioned assets have no keys to name: the sign says everything.
        let definition = self
            .graph
            .id(asset)
            .and_then(|id| self.graph.partitions(id));
        match definition {
            None => writeln!(f)?,
            // The operands before it left no candidates.
            Some(_) if *candidates == 0 && partitions.is_empty() => writeln!(f, " (not asked)")?,
            Some(definition) => {
                write!(f, ": {}", partitions.len())?;
                // Some facts cover more partitions than were evaluated.
                if partitions.len() <= *candidates {
                    write!(f, " of {candidates}")?;
                }
                let named: Vec<PartitionKey> = definition
                    .keys(partitions, self.context)
                    .take(NAMED + 1)
                    .collect();
                for (index, key) in named.iter().take(NAMED).enumerate() {
                    write!(f, "{}{key}", if index == 0 { " (" } else { ", " })?;
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
