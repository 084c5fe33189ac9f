//! [`Manifest`]: the root of a manifest.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DependencyManifest, EnvironmentManifest, InvalidManifest, ManifestVersion, OpDetails,
    OpManifest, ScheduleManifest, SensorManifest,
};
use crate::{
    graph::{AssetGraph, AssetId, Edge, InvalidGraph},
    spec::{AssetSpec, OpSpec},
};

/// A whole project as data: all declarations, but no recorded state and no value of a setting.
///
/// ```
/// use precip_core::{
///     graph::AssetGraph,
///     manifest::{Manifest, OpDetails},
///     spec::{AssetSpec, OpSpec},
/// };
///
/// let flights = AssetSpec::new("flights".parse()?);
/// let graph = AssetGraph::new(vec![OpSpec::single(flights)], vec![])?;
/// let manifest = Manifest::new(&graph, |_| OpDetails::default(), vec![]);
///
/// let json = serde_json::to_string(&manifest)?;
/// assert_eq!(Manifest::from_json(&json)?.to_graph()?, graph);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The version of the manifest's form.
    pub manifest_version: ManifestVersion,
    /// The ops, ordered by name, each with its assets and checks.
    pub ops: Vec<OpManifest>,
    /// The assets that are made outside the project.
    #[serde(default)]
    pub external_assets: Vec<AssetSpec>,
    /// All dependencies between assets, ordered by downstream and upstream key. They follow from
    /// the assets' declarations.
    #[serde(default)]
    pub dependencies: Vec<DependencyManifest>,
    /// The sensors, ordered by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorManifest>,
    /// The schedules, ordered by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleManifest>,
    /// The project's environments, the default one first.
    #[serde(default)]
    pub environments: Vec<EnvironmentManifest>,
}

impl Manifest {
    /// Describes a graph; `details` gives the details of an op's function.
    pub fn new(
        graph: &AssetGraph,
        details: impl Fn(&OpSpec) -> OpDetails,
        environments: Vec<EnvironmentManifest>,
    ) -> Self {
        let ops = graph.ops().map(|(_, op)| OpManifest {
            spec: op.clone(),
            details: details(op),
        });
        Self {
            manifest_version: ManifestVersion::default(),
            ops: ops.collect(),
            external_assets: graph.external_assets().to_vec(),
            dependencies: list_dependencies(graph),
            sensors: Vec::new(),
            schedules: Vec::new(),
            environments,
        }
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// [`InvalidManifest`] if the text is not a manifest, or is one of another version.
    pub fn from_json(text: &str) -> Result<Self, InvalidManifest> {
        // Check the version first: another version may differ in everything else.
        let value: Value = serde_json::from_str(text)?;
        match value.get("manifest_version").and_then(Value::as_u64) {
            Some(found) if found != ManifestVersion::NUMBER => {
                Err(InvalidManifest::Version { found })
            }
            _ => Ok(serde_json::from_value(value)?),
        }
    }

    /// Returns the asset graph of the project.
    ///
    /// # Errors
    /// [`InvalidGraph`] if the manifest was edited and its assets no longer form a valid graph.
    pub fn to_graph(&self) -> Result<AssetGraph, InvalidGraph> {
        let ops = self.ops.iter().map(|op| op.spec.clone()).collect();
        AssetGraph::new(ops, self.external_assets.clone())
    }

    /// Returns the JSON Schema (draft 2020-12) of a serialized manifest.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
            .to_value()
    }
}

fn list_dependencies(graph: &AssetGraph) -> Vec<DependencyManifest> {
    let upstream_of = |downstream: AssetId| {
        let edges = graph.upstream(downstream).iter();
        edges.map(move |edge| describe_dependency(graph, downstream, edge))
    };
    graph.ids().flat_map(upstream_of).collect()
}

fn describe_dependency(graph: &AssetGraph, downstream: AssetId, edge: &Edge) -> DependencyManifest {
    let upstream = graph.key(edge.asset);
    let spec = graph.asset(downstream);
    let declared = spec.deps.iter().filter(|dep| dep.asset == *upstream);
    DependencyManifest {
        upstream: upstream.clone(),
        downstream: spec.key.clone(),
        mapping: edge.mapping.clone(),
        inferred: declared.clone().all(|dep| dep.mapping.is_none()),
    }
}
