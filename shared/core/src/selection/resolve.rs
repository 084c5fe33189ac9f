//! Expressions to assets.

use crate::{
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::PartitionsDefinition,
    selection::{
        InvalidSelection, SelectionProblem,
        clause::Clause,
        expr::{Depth, Expr, Maker},
        pattern,
    },
    spec::AssetSpec,
};

/// Where a kind stands among the tags, as in Dagster.
const KIND_TAG: &str = "dagster/kind/";

/// Answers for one graph.
pub(super) struct Resolver<'a> {
    graph: &'a AssetGraph,
    made: AssetSet,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(graph: &'a AssetGraph) -> Self {
        Self {
            graph,
            made: graph.materializable(),
        }
    }

    pub(super) fn clause(&self, clause: &Clause, text: &str) -> Result<AssetSet, InvalidSelection> {
        let Some(id) = self.graph.id_of(&clause.key) else {
            let problem = SelectionProblem::unknown_key(&clause.key, self.graph);
            return Err(InvalidSelection::new(text, clause.span.clone(), problem));
        };
        let given = |depth: Depth| (depth != Depth::Edges(0)).then_some(depth);
        Ok(self.traverse(AssetSet::from(id), given(clause.up), given(clause.down)))
    }

    pub(super) fn expr(&self, expr: &Expr) -> AssetSet {
        match expr {
            Expr::All => self.made.clone(),
            Expr::Key(wanted) => self.all_where(|asset| pattern::fits(wanted, asset.key.as_str())),
            Expr::Group(Some(wanted)) => {
                self.made_where(|asset| pattern::fits(wanted, &asset.group))
            }
            Expr::Tag { key, value } => self.made_where(|asset| tag(asset, key) == Some(value)),
            Expr::Owner(Some(wanted)) => self.all_where(|asset| {
                asset
                    .owners
                    .iter()
                    .any(|owner| owner.to_string() == *wanted)
            }),
            Expr::Group(None) | Expr::Owner(None) => AssetSet::new(),
            Expr::Kind(wanted) => self.made_where(|asset| match wanted {
                Some(kind) => tag(asset, &format!("{KIND_TAG}{kind}")).is_some(),
                None => {
                    let as_tag = |key: &str| key.starts_with(KIND_TAG);
                    asset.kinds.is_empty() && !asset.tags.keys().any(|key| as_tag(key))
                }
            }),
            Expr::Is(Maker::External) => &self.graph.all() - &self.made,
            Expr::Is(Maker::Materializable) => self.made.clone(),
            Expr::Partitions(wanted) => {
                let wanted = wanted.as_deref().unwrap_or("none");
                self.all_where(|asset| sort(asset.partitions.as_deref()) == wanted)
            }
            Expr::Traverse { of, up, down } => self.traverse(self.expr(of), *up, *down),
            Expr::Roots(of) => self.graph.roots(&self.expr(of)),
            Expr::Sinks(of) => self.graph.sinks(&self.expr(of)),
            Expr::Not(but) => &self.made - &self.expr(but),
            Expr::And(all) => {
                let sets = all.iter().map(|expr| self.expr(expr));
                sets.reduce(|both, set| &both & &set).unwrap_or_default()
            }
            Expr::Or(any) => any.iter().fold(AssetSet::new(), |mut either, expr| {
                either |= &self.expr(expr);
                either
            }),
        }
    }

    /// As in Dagster, looking upstream leaves out what is external, the starting assets included.
    fn traverse(&self, of: AssetSet, up: Option<Depth>, down: Option<Depth>) -> AssetSet {
        let above = up.map(|depth| &self.graph.ancestors(&of, depth.limit()) & &self.made);
        let below = down.map(|depth| self.graph.descendants(&of, depth.limit()));
        match (above, below) {
            (Some(above), Some(below)) => &above | &below,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => of,
        }
    }

    fn all_where(&self, wanted: impl Fn(&AssetSpec) -> bool) -> AssetSet {
        self.graph
            .ids()
            .filter(|id| wanted(self.graph.asset(*id)))
            .collect()
    }

    fn made_where(&self, wanted: impl Fn(&AssetSpec) -> bool) -> AssetSet {
        let made = |id: &AssetId| wanted(self.graph.asset(*id));
        self.made.iter().filter(made).collect()
    }
}

/// The value of a tag. A kind is a tag with an empty value.
fn tag<'a>(asset: &'a AssetSpec, key: &str) -> Option<&'a str> {
    let kind = || {
        let kind = key.strip_prefix(KIND_TAG)?;
        asset.kinds.contains(kind).then_some("")
    };
    asset
        .tags
        .get(key)
        .map(|value| value.as_str())
        .or_else(kind)
}

/// The word for a sort of partitions, as Dagster's `partitions:` takes it.
fn sort(partitions: Option<&PartitionsDefinition>) -> &'static str {
    match partitions {
        None => "none",
        Some(PartitionsDefinition::Static(_)) => "static",
        Some(PartitionsDefinition::Dynamic(_)) => "dynamic",
        Some(PartitionsDefinition::TimeWindow(_)) => "time",
        Some(PartitionsDefinition::Multi(_)) => "multipartitions",
    }
}
