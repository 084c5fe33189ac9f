//! [`Manifest`] itself.

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

/// The whole of a project as data: everything that is declared, nothing that is on record, and no
/// value of a setting.
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
    /// The version of this form.
    pub manifest_version: ManifestVersion,
    /// The ops by name, each with the assets it makes and the checks it runs.
    pub ops: Vec<OpManifest>,
    /// The assets that something outside the project makes.
    #[serde(default)]
    pub external_assets: Vec<AssetSpec>,
    /// Every dependency between assets, by downstream and upstream key. It follows from what the
    /// assets declare.
    #[serde(default)]
    pub dependencies: Vec<DependencyManifest>,
    /// The sensors by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorManifest>,
    /// The schedules by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleManifest>,
    /// Where the project runs, the one that is used when none is named first.
    #[serde(default)]
    pub environments: Vec<EnvironmentManifest>,
}

impl Manifest {
    /// Describes a graph; `details` answers what is known of an op's function.
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
            external_assets: graph.external().to_vec(),
            dependencies: dependencies(graph),
            sensors: Vec::new(),
            schedules: Vec::new(),
            environments,
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`InvalidManifest`] when the text is no manifest, or one of another version.
    pub fn from_json(text: &str) -> Result<Self, InvalidManifest> {
        // The version first: of another version nothing else can be expected to fit.
        let value: Value = serde_json::from_str(text)?;
        match value.get("manifest_version").and_then(Value::as_u64) {
            Some(found) if found != ManifestVersion::NUMBER => {
                Err(InvalidManifest::Version { found })
            }
            _ => Ok(serde_json::from_value(value)?),
        }
    }

    /// The asset graph of the project.
    ///
    /// # Errors
    /// [`InvalidGraph`] when the manifest was changed so that its assets do not fit together.
    pub fn to_graph(&self) -> Result<AssetGraph, InvalidGraph> {
        let ops = self.ops.iter().map(|op| op.spec.clone()).collect();
        AssetGraph::new(ops, self.external_assets.clone())
    }

    /// The JSON Schema (draft 2020-12) of what is written.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
            .to_value()
    }
}

fn dependencies(graph: &AssetGraph) -> Vec<DependencyManifest> {
    let of = |downstream: AssetId| {
        let edges = graph.upstream(downstream).iter();
        edges.map(move |edge| dependency(graph, downstream, edge))
    };
    graph.ids().flat_map(of).collect()
}

fn dependency(graph: &AssetGraph, downstream: AssetId, edge: &Edge) -> DependencyManifest {
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
