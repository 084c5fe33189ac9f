//! `backfill_waves.json`: In which order a backfill runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use precip_core::{
    backfill::{self, Backfill, BackfillError, BackfillRun, Outcome, RunPartitions},
    graph::{AssetGraph, AssetId, AssetSet, InvalidGraph},
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{AssetPartitions, Lineage},
    spec::{AssetSpec, BackfillPolicy, DepSpec, OpSpec},
};
use serde_json::{Value, json};

use crate::{
    definitions,
    kind::{Kind, Mismatch},
    partition_mappings,
};

/// In which order a backfill runs.
pub(crate) struct BackfillWaves;

type Definitions = BTreeMap<String, Option<PartitionsDefinition>>;

impl Kind for BackfillWaves {
    const FILE: &'static str = "backfill_waves.json";

    type Shared = Definitions;

    fn shared(body: &Value) -> Self::Shared {
        definitions::named(&spelled_out(&body["partitions_defs"]))
    }

    fn check(case: &Value, shared: &Self::Shared) -> Result<(), Mismatch> {
        let expect = &case["expect"];
        match answer(case, shared) {
            Err(_) if expect["error"].is_string() => Ok(()),
            Err(refusal) => Err(Mismatch::new(expect, refusal)),
            Ok(answer) if expect["error"].is_string() => Err(Mismatch::new(expect, answer)),
            Ok(answer) => {
                for (what, ours) in answer.as_object().unwrap() {
                    let theirs = sorted(expect[what].clone(), what == "waves");
                    Mismatch::unless_equal(what, &theirs, &sorted(ours.clone(), what == "waves"))?;
                }
                Ok(())
            }
        }
    }
}

/// Gives the dimensions that stand inside a definition a name of their own.
fn spelled_out(table: &Value) -> Value {
    let mut flat = table.clone();
    for (name, written) in table.as_object().unwrap() {
        let Some(dims) = written.get("dims").and_then(Value::as_object) else {
            continue;
        };
        for (dimension, inner) in dims.iter().filter(|(_, inner)| inner.is_object()) {
            let own = format!("{name}.{dimension}");
            let mut inner = inner.clone();
            if inner.get("cadence").is_some() && inner.get("timezone").is_none() {
                inner["timezone"] = "UTC".into();
            }
            flat[&own] = inner;
            flat[name]["dims"][dimension] = own.into();
        }
    }
    flat
}

fn sorted(mut answer: Value, waves: bool) -> Value {
    let by_text = |a: &Value, b: &Value| a.to_string().cmp(&b.to_string());
    let list = answer.as_array_mut().unwrap();
    if waves {
        list.iter_mut()
            .for_each(|wave| wave.as_array_mut().unwrap().sort_by(by_text));
    } else {
        list.sort_by(by_text);
    }
    answer
}

#[derive(Debug)]
#[expect(dead_code, reason = "the refusal is for the report of a mismatch")]
enum Refusal {
    Graph(InvalidGraph),
    Backfill(BackfillError),
}

fn answer(case: &Value, shared: &Definitions) -> Result<Value, Refusal> {
    let graph = graph(&case["assets"], shared).map_err(Refusal::Graph)?;
    let context = PartitionContext::at(case["now_utc"].as_str().unwrap().parse().unwrap());
    let lineage = Lineage::new(&graph, &context);
    let world = World {
        lineage,
        fail: case["fail"].as_array().unwrap(),
    };
    let target = world.target(&case["target"]).map_err(Refusal::Backfill)?;
    let mut backfill = Backfill::new(target.clone());
    let mut outcome = Outcome::default();
    let (mut waves, mut idle) = (Vec::new(), 0);
    while idle < 2 {
        let wave = backfill
            .next_wave(lineage, &outcome)
            .map_err(Refusal::Backfill)?;
        if wave.is_empty() {
            idle += 1;
            continue;
        }
        idle = 0;
        waves.push(
            wave.iter()
                .map(|run| world.written(run))
                .collect::<Vec<_>>(),
        );
        for run in &wave {
            world.run(run, &mut outcome);
        }
        outcome.failed = outcome.failed.difference(&outcome.materialized);
    }
    Ok(json!({
        "targeted": world.pairs(&target),
        "waves": waves,
        "materialized": world.pairs(&outcome.materialized),
        "failed_and_downstream": world.pairs(backfill.held_back()),
        "never_materialized": world.pairs(&target.difference(&outcome.materialized)),
    }))
}

fn graph(assets: &Value, shared: &Definitions) -> Result<AssetGraph, InvalidGraph> {
    let mut ops = Vec::new();
    let definition_of = |node: &Value| shared[node["partitions"].as_str().unwrap()].clone();
    let mut by_key = BTreeMap::new();
    for node in assets.as_array().unwrap() {
        for key in keys_of(node) {
            by_key.insert(key, definition_of(node));
        }
    }
    for node in assets.as_array().unwrap() {
        let own = definition_of(node);
        let dep = |written: &Value| {
            let mut dep = DepSpec::new(written["key"].as_str().unwrap().parse().unwrap());
            if written["mapping"].is_object() {
                let upstream = by_key.get(dep.asset.as_str()).and_then(Option::as_ref);
                dep.mapping = Some(mapping(&written["mapping"], upstream, own.as_ref()));
            }
            dep
        };
        let deps: Vec<DepSpec> = node["deps"].as_array().unwrap().iter().map(dep).collect();
        let specs = keys_of(node).into_iter().map(|key| {
            let mut spec = AssetSpec::new(key.parse().unwrap());
            spec.deps.clone_from(&deps);
            spec.partitions = own.clone().map(Arc::new);
            spec
        });
        let mut op = OpSpec::new(node["key"].as_str().unwrap(), specs.collect());
        op.can_subset = node["can_subset"] == true;
        op.backfill = match &node["policy"] {
            Value::Null => BackfillPolicy::PerPartition,
            Value::String(single) if single == "single_run" => BackfillPolicy::SingleRun,
            most => BackfillPolicy::MultiRun(serde_json::from_value(most.clone()).unwrap()),
        };
        ops.push(op);
    }
    AssetGraph::new(ops, Vec::new())
}

fn mapping(
    written: &Value,
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
) -> PartitionMapping {
    partition_mappings::mapping(written, upstream, downstream)
}

fn keys_of(node: &Value) -> Vec<String> {
    match node["multi"].as_array() {
        Some(keys) => keys
            .iter()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect(),
        None => vec![node["key"].as_str().unwrap().to_owned()],
    }
}

/// The graph of a case, and what raises in it.
struct World<'a> {
    lineage: Lineage<'a>,
    fail: &'a [Value],
}

impl World<'_> {
    fn id(&self, key: &str) -> AssetId {
        self.lineage.graph.id(&key.parse().unwrap()).unwrap()
    }

    fn target(&self, written: &Value) -> Result<AssetPartitions, BackfillError> {
        let key = |key: &Value| PartitionKey::from(key.as_str().unwrap());
        if written["kind"] == "ranges" {
            let mut target = AssetPartitions::new();
            for (asset, ranges) in written["ranges"].as_object().unwrap() {
                let asset = self.id(asset);
                let Some(definition) = self.lineage.graph.partitions(asset) else {
                    target.add(asset, &PartitionSet::single(0));
                    continue;
                };
                let Some(ranges) = ranges.as_array() else {
                    target.add(asset, &definition.all(self.lineage.context));
                    continue;
                };
                for range in ranges {
                    let range =
                        definition.range(&key(&range[0]), &key(&range[1]), self.lineage.context);
                    let range = range.map_err(|source| BackfillError::UnknownPartition {
                        asset: self.lineage.graph.key(asset).clone(),
                        source,
                    })?;
                    target.add(asset, &range);
                }
            }
            return Ok(target);
        }
        let assets: AssetSet = written["assets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|asset| self.id(asset.as_str().unwrap()))
            .collect();
        match written["partition_names"].as_array() {
            None => Ok(AssetPartitions::all_existing(
                self.lineage.graph,
                &assets,
                self.lineage.context,
            )),
            Some(names) => {
                let names: Vec<PartitionKey> = names.iter().map(key).collect();
                backfill::target_by_keys(self.lineage, &assets, &names)
            }
        }
    }

    fn key(&self, asset: AssetId, ordinal: u64) -> Value {
        match self.lineage.graph.partitions(asset) {
            None => Value::Null,
            Some(definition) => {
                let key = definition.key(ordinal, self.lineage.context);
                key.unwrap().as_str().into()
            }
        }
    }

    fn pairs(&self, pairs: &AssetPartitions) -> Vec<Value> {
        let pair = |asset, ordinal| {
            let name = self.lineage.graph.key(asset).as_str();
            json!([name, self.key(asset, ordinal)])
        };
        pairs
            .iter()
            .flat_map(|(asset, set)| set.iter().map(move |ordinal| (asset, ordinal)))
            .map(|(asset, ordinal)| pair(asset, ordinal))
            .collect()
    }

    fn written(&self, run: &BackfillRun) -> Value {
        let keys = run
            .assets
            .iter()
            .map(|asset| self.lineage.graph.key(*asset).as_str());
        let assets: Vec<&str> = keys.collect();
        let key = |ordinal| self.key(run.assets[0], ordinal);
        match &run.partitions {
            RunPartitions::Unpartitioned => json!({ "assets": assets }),
            RunPartitions::One(ordinal) => json!({ "assets": assets, "partition": key(*ordinal) }),
            RunPartitions::Range(batch) => {
                json!({ "assets": assets, "range": [key(batch.first), key(batch.last)] })
            }
        }
    }

    /// Runs one run as Dagster's in-process executor does: op by op, where a body that raises makes
    /// nothing more, and what depends on a step that failed is not run.
    fn run(&self, run: &BackfillRun, outcome: &mut Outcome) {
        let graph = self.lineage.graph;
        let set = run.partitions.to_set();
        let raises = |asset: AssetId| {
            let name = graph.key(asset).as_str();
            let mut keys = set
                .iter()
                .map(|ordinal| json!([name, self.key(asset, ordinal)]));
            keys.any(|pair| self.fail.contains(&pair))
        };
        let mut broken = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for &asset in graph.topological() {
            let Some(op) = graph.op_of(asset).filter(|_| run.assets.contains(&asset)) else {
                continue;
            };
            if !seen.insert(op) {
                continue;
            }
            let own: Vec<AssetId> = graph
                .assets_of(op)
                .filter(|a| run.assets.contains(a))
                .collect();
            let abandoned = own
                .iter()
                .flat_map(|asset| graph.upstream(*asset))
                .any(|edge| {
                    let above = graph.op_of(edge.asset);
                    run.assets.contains(&edge.asset) && above != Some(op) && broken.contains(&above)
                });
            let mut failed = abandoned;
            for asset in own {
                failed = failed || raises(asset);
                if failed {
                    outcome.failed.add(asset, &set);
                } else {
                    outcome.materialized.add(asset, &set);
                }
            }
            if failed {
                broken.insert(Some(op));
            }
        }
    }
}
