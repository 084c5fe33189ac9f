//! `asset_selection.json`: The selection language.

use std::collections::BTreeMap;

use precip_core::{
    graph::AssetGraph,
    selection::Selection,
    spec::{AssetSpec, DepSpec, GroupName, OpSpec},
};
use serde::Deserialize;
use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// The selection language.
pub(crate) struct AssetSelection;

/// One asset as the file has it.
#[derive(Deserialize)]
struct Node {
    key: String,
    deps: Vec<String>,
    group: Option<String>,
    tags: BTreeMap<String, String>,
    owners: Vec<String>,
    kinds: Vec<String>,
    /// True if no op of the project materializes it.
    #[serde(default)]
    external: bool,
}

impl Node {
    fn spec(&self) -> AssetSpec {
        let mut spec = AssetSpec::new(self.key.parse().unwrap());
        if let Some(group) = &self.group {
            spec.group = GroupName::new(group).unwrap();
        }
        let tags = self.tags.iter();
        spec.tags = tags
            .map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap()))
            .collect();
        spec.owners = self
            .owners
            .iter()
            .map(|owner| owner.parse().unwrap())
            .collect();
        spec.kinds = self
            .kinds
            .iter()
            .map(|kind| kind.parse().unwrap())
            .collect();
        spec.deps = self
            .deps
            .iter()
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .collect();
        spec
    }
}

impl Kind for AssetSelection {
    const FILE: &'static str = "asset_selection.json";

    type Shared = BTreeMap<String, AssetGraph>;

    fn shared(body: &Value) -> Self::Shared {
        let graphs: BTreeMap<String, Vec<Node>> =
            serde_json::from_value(body["graphs"].clone()).unwrap();
        let build = |nodes: Vec<Node>| {
            let (external, made): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.external);
            let ops = made
                .into_iter()
                .map(|node| OpSpec::single(node.spec()))
                .collect();
            let external = external.into_iter().map(Node::spec).collect();
            AssetGraph::new(ops, external).unwrap()
        };
        graphs
            .into_iter()
            .map(|(name, nodes)| (name, build(nodes)))
            .collect()
    }

    fn check(case: &Value, graphs: &Self::Shared) -> Result<(), Mismatch> {
        let graph = &graphs[case["graph"].as_str().unwrap()];
        let selection = case["selection"].as_str().unwrap();
        let selected = Selection::parse(selection).and_then(|selection| selection.resolve(graph));
        let keys = selected.map(|assets| {
            let mut keys: Vec<_> = assets
                .iter()
                .map(|asset| graph.key(asset).as_str().to_owned())
                .collect();
            keys.sort();
            keys
        });
        let expect = &case["expect"];
        match (&keys, expect["keys"].as_array()) {
            (Ok(keys), Some(expected)) => Mismatch::unless_equal(
                selection,
                &expected
                    .iter()
                    .map(|key| key.as_str().unwrap().to_owned())
                    .collect(),
                keys,
            ),
            (Err(_), None) if expect["error"].is_string() => Ok(()),
            (Ok(keys), _) => Err(Mismatch::new(expect, (selection, keys))),
            (Err(refusal), _) => Err(Mismatch::new(expect, refusal.to_string())),
        }
    }
}
