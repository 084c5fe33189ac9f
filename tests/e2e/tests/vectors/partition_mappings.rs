//! `partition_mappings.json`: Which upstream partitions a downstream partition is made from.

use std::collections::{BTreeMap, BTreeSet};

use precip_core::{
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
};
use serde_json::{Value, json};

use crate::{
    definitions,
    kind::{Kind, Mismatch},
};

/// Partition mappings.
pub(crate) struct PartitionMappings;

type Definitions = BTreeMap<String, Option<PartitionsDefinition>>;

impl Kind for PartitionMappings {
    const FILE: &'static str = "partition_mappings.json";

    type Shared = Definitions;

    fn shared(body: &Value) -> Self::Shared {
        definitions::named(&body["partitions_defs"])
    }

    fn check(case: &Value, shared: &Self::Shared) -> Result<(), Mismatch> {
        let side = |name: &str| shared[case[name].as_str().unwrap()].as_ref();
        let (upstream, downstream) = (side("upstream"), side("downstream"));
        let mapping = mapping(&case["mapping"], upstream, downstream);
        if let Some(resolved) = case["mapping"]["resolved"].as_str() {
            Mismatch::unless_equal("resolved to", &resolved, &mapping.dagster_name())?;
        }
        let context = definitions::context(case);
        let validated = mapping.validate(upstream, downstream);
        let refused = case["expect"].get("error").is_some();
        // Dagster finds some pairs invalid only when it maps; refusing them at once is as good.
        if case["valid"] == false || !refused {
            let valid = case["valid"].as_bool().unwrap();
            if validated.is_ok() != valid {
                return Err(Mismatch::new(format!("valid: {valid}"), validated));
            }
        }
        let up = case["direction"] == "downstream_to_upstream";
        let (from, to) = if up {
            (downstream, upstream)
        } else {
            (upstream, downstream)
        };
        let given = given(&case["given"], from, &context);
        let answer = if up {
            mapping.to_upstream(&given, downstream, upstream, &context).map(|answer| {
                json!({
                    "upstream": listed(keys(to, &answer.existing, &context)),
                    "required_but_nonexistent": listed(in_order(to, answer.nonexistent, &context)),
                })
            })
        } else {
            mapping
                .to_downstream(&given, upstream, downstream, &context)
                .map(|set| json!({ "downstream": listed(keys(to, &set, &context)) }))
        };
        match answer {
            Err(_) if refused => Ok(()),
            Err(refusal) => Err(Mismatch::new(&case["expect"], refusal)),
            Ok(answer) if refused => Err(Mismatch::new(&case["expect"], answer)),
            Ok(answer) => Mismatch::unless_equal("expect", &case["expect"], &answer),
        }
    }
}

/// The mapping as our own JSON writes it, but for Dagster's shorthand for one static key.
pub(crate) fn mapping(
    written: &Value,
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
) -> PartitionMapping {
    if written["type"] == "inferred" {
        return PartitionMapping::infer(upstream, downstream);
    }
    let mut written = written.clone();
    spell_out(&mut written);
    serde_json::from_value(written).unwrap()
}

fn spell_out(written: &mut Value) {
    if let Some(dims) = written.get_mut("dims").and_then(Value::as_object_mut) {
        for dimension in dims.values_mut() {
            spell_out(&mut dimension["mapping"]);
        }
    }
    if let Some(map) = written.get_mut("map").and_then(Value::as_object_mut) {
        for keys in map.values_mut().filter(|keys| keys.is_string()) {
            *keys = json!([keys.take()]);
        }
    }
}

fn given(
    keys: &Value,
    definition: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> PartitionSet {
    let Some(definition) = definition else {
        return PartitionSet::single(0);
    };
    let keys = keys.as_array().map(Vec::as_slice).unwrap_or_default();
    keys.iter()
        .map(|key| {
            definition
                .ordinal(&key.as_str().unwrap().into(), context)
                .unwrap()
        })
        .collect()
}

fn keys(
    definition: Option<&PartitionsDefinition>,
    set: &PartitionSet,
    context: &PartitionContext,
) -> Vec<PartitionKey> {
    definition
        .map(|definition| definition.keys(set, context).collect())
        .unwrap_or_default()
}

/// Keys that exist in the definition's order, then the others, sorted.
fn in_order(
    definition: Option<&PartitionsDefinition>,
    named: Vec<PartitionKey>,
    context: &PartitionContext,
) -> Vec<PartitionKey> {
    let mut others: BTreeSet<PartitionKey> = named.into_iter().collect();
    let existing: PartitionSet = others
        .iter()
        .filter_map(|key| definition?.find(key.as_str(), context))
        .collect();
    let mut ordered = keys(definition, &existing, context);
    for key in &ordered {
        others.remove(key.as_str());
    }
    ordered.extend(others);
    ordered
}

/// A list as the vectors write it: whole up to 60 keys, else its ends.
fn listed(keys: Vec<PartitionKey>) -> Value {
    if keys.len() <= 60 {
        return json!({ "count": keys.len(), "keys": keys });
    }
    json!({ "count": keys.len(), "first5": keys[..5], "last5": keys[keys.len() - 5..] })
}
