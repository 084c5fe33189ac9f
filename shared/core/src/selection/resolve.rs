//! Evaluation of expressions on a graph.

use crate::{
    graph::{AssetGraph, AssetSet},
    partitions::PartitionsDefinition,
    selection::{
        InvalidSelection, InvalidSelectionKind,
        clause::Clause,
        expr::{Depth, Expr, Origin},
        pattern,
    },
    spec::AssetSpec,
};

/// The prefix of the tags that represent kinds, as in Dagster.
const KIND_TAG: &str = "dagster/kind/";

/// Evaluates expressions on one graph.
pub(super) struct Resolver<'a> {
    graph: &'a AssetGraph,
    materializable: AssetSet,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(graph: &'a AssetGraph) -> Self {
        Self {
            graph,
            materializable: graph.materializable(),
        }
    }

    pub(super) fn resolve_clause(
        &self,
        clause: &Clause,
        text: &str,
    ) -> Result<AssetSet, InvalidSelection> {
        let Some(id) = self.graph.id_of(&clause.key) else {
            let kind = InvalidSelectionKind::unknown_key(&clause.key, self.graph);
            return Err(InvalidSelection::new(text, clause.span.clone(), kind));
        };
        let unless_zero = |depth: Depth| (depth != Depth::Edges(0)).then_some(depth);
        Ok(self.traverse_from(
            AssetSet::from(id),
            unless_zero(clause.up),
            unless_zero(clause.down),
        ))
    }

    pub(super) fn resolve_expr(&self, expr: &Expr) -> AssetSet {
        // Which variants include external assets is Dagster's choice, listed at each variant of
        // `Expr`.
        match expr {
            Expr::All => self.materializable.clone(),
            Expr::Key(wanted) => {
                self.all_where(|asset| pattern::matches_pattern(wanted, asset.key.as_str()))
            }
            Expr::Group(Some(wanted)) => {
                self.materializable_where(|asset| pattern::matches_pattern(wanted, &asset.group))
            }
            Expr::Tag { key, value } => {
                self.materializable_where(|asset| tag_value(asset, key) == Some(value))
            }
            Expr::Owner(Some(wanted)) => self.all_where(|asset| {
                asset
                    .owners
                    .iter()
                    .any(|owner| owner.to_string() == *wanted)
            }),
            Expr::Group(None) | Expr::Owner(None) => AssetSet::new(),
            Expr::Kind(wanted) => self.materializable_where(|asset| match wanted {
                Some(kind) => tag_value(asset, &format!("{KIND_TAG}{kind}")).is_some(),
                None => {
                    let has_kind_tag = asset.tags.keys().any(|key| key.starts_with(KIND_TAG));
                    asset.kinds.is_empty() && !has_kind_tag
                }
            }),
            Expr::Is(Origin::External) => &self.graph.all_assets() - &self.materializable,
            Expr::Is(Origin::Materializable) => self.materializable.clone(),
            Expr::Partitions(wanted) => {
                let kind = wanted.as_deref().unwrap_or("none");
                self.all_where(|asset| partitions_kind(asset.partitions.as_deref()) == kind)
            }
            Expr::Traverse { start, up, down } => {
                self.traverse_from(self.resolve_expr(start), *up, *down)
            }
            Expr::Roots(expr) => self.graph.roots(&self.resolve_expr(expr)),
            Expr::Sinks(expr) => self.graph.sinks(&self.resolve_expr(expr)),
            Expr::Not(but) => &self.materializable - &self.resolve_expr(but),
            Expr::And(all) => {
                let sets = all.iter().map(|expr| self.resolve_expr(expr));
                sets.reduce(|both, set| &both & &set).unwrap_or_default()
            }
            Expr::Or(any) => any.iter().fold(AssetSet::new(), |mut either, expr| {
                either |= &self.resolve_expr(expr);
                either
            }),
        }
    }

    /// Adds ancestors and descendants. As in Dagster, a traversal upstream omits external assets,
    /// including the starting ones.
    fn traverse_from(&self, start: AssetSet, up: Option<Depth>, down: Option<Depth>) -> AssetSet {
        let above =
            up.map(|depth| &self.graph.ancestors(&start, depth.limit()) & &self.materializable);
        let below = down.map(|depth| self.graph.descendants(&start, depth.limit()));
        match (above, below) {
            (Some(above), Some(below)) => &above | &below,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => start,
        }
    }

    fn all_where(&self, wanted: impl Fn(&AssetSpec) -> bool) -> AssetSet {
        self.graph
            .ids()
            .filter(|id| wanted(self.graph.asset(*id)))
            .collect()
    }

    fn materializable_where(&self, wanted: impl Fn(&AssetSpec) -> bool) -> AssetSet {
        self.materializable
            .iter()
            .filter(|id| wanted(self.graph.asset(*id)))
            .collect()
    }
}

/// Returns the value of an asset's tag. A kind is a tag with an empty value.
fn tag_value<'a>(asset: &'a AssetSpec, key: &str) -> Option<&'a str> {
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

/// Returns the word for a kind of partitions in Dagster's `partitions:` attribute.
fn partitions_kind(partitions: Option<&PartitionsDefinition>) -> &'static str {
    match partitions {
        None => "none",
        Some(PartitionsDefinition::Static(_)) => "static",
        Some(PartitionsDefinition::Dynamic(_)) => "dynamic",
        Some(PartitionsDefinition::TimeWindow(_)) => "time",
        Some(PartitionsDefinition::Multi(_)) => "multipartitions",
    }
}
