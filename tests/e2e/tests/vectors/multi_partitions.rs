//! `multi_partitions.json`: Multi-dimensional partitions.

use std::collections::BTreeMap;

use precip_core::partitions::{
    MultiPartitionKey, MultiPartitions as Multi, PartitionKey, PartitionsDefinition,
    StaticPartitions,
};
use serde_json::{Value, json};

use crate::{
    definitions,
    kind::{Kind, Mismatch},
};

/// Multi-dimensional partitions.
pub(crate) struct MultiPartitions;

type Sets = BTreeMap<String, Option<PartitionsDefinition>>;

impl Kind for MultiPartitions {
    const FILE: &'static str = "multi_partitions.json";

    type Shared = Sets;

    fn shared(body: &Value) -> Self::Shared {
        definitions::named(&body["sets"])
    }

    fn check(case: &Value, shared: &Self::Shared) -> Result<(), Mismatch> {
        let answer = match case["op"].as_str().unwrap() {
            "enumerate" => enumerate(case, shared),
            "range" => range(case, shared),
            "parse" => parse(case, shared),
            "construct" => product(case, shared).map(|_| json!({ "ok": true })),
            "construct_static" => fixed(&case["keys"]).map(|_| json!({ "ok": true })),
            "construct_multi_with_static" => with_static(case),
            op => panic!("no such op: {op}"),
        };
        match answer {
            Err(_) if case["expect"].get("error").is_some() => Ok(()),
            Err(refusal) => Err(Mismatch::new(&case["expect"], refusal)),
            Ok(answer) => Mismatch::unless_equal("expect", &case["expect"], &answer),
        }
    }
}

type Answer<T = Value> = Result<T, Box<dyn std::error::Error>>;

fn product(case: &Value, sets: &Sets) -> Answer<Multi> {
    let dims = case["dims"].as_object().unwrap();
    let dimensions = dims
        .iter()
        .map(|(name, set)| (name, set_named(set, sets).clone()));
    Ok(Multi::new(dimensions)?)
}

fn set_named<'s>(name: &Value, sets: &'s Sets) -> &'s PartitionsDefinition {
    sets[name.as_str().unwrap()].as_ref().unwrap()
}

fn fixed(keys: &Value) -> Answer<StaticPartitions> {
    let keys = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_str().unwrap());
    Ok(StaticPartitions::new(keys)?)
}

fn enumerate(case: &Value, sets: &Sets) -> Answer {
    let multi = product(case, sets)?;
    let order: Vec<String> = multi
        .dimensions()
        .map(|(name, _)| name.to_owned())
        .collect();
    let context = definitions::context(case);
    let definition = PartitionsDefinition::from(multi);
    let all = definition.all(&context);
    let keys: Vec<PartitionKey> = definition.keys(&all, &context).collect();
    Ok(json!({
        "count": definition.count(&context),
        "first8": keys[..keys.len().min(8)],
        "last4": keys[keys.len().saturating_sub(4)..],
        "dimension_order": order,
        "last_key": definition.last(&context).and_then(|last| definition.key(last, &context)),
    }))
}

fn range(case: &Value, sets: &Sets) -> Answer {
    let definition = match case.get("set") {
        Some(set) => set_named(set, sets).clone(),
        None => product(case, sets)?.into(),
    };
    let end = |name: &str| PartitionKey::from(case[name].as_str().unwrap());
    let context = definitions::context(case);
    let set = definition.range(&end("start"), &end("end"), &context)?;
    let keys: Vec<PartitionKey> = definition.keys(&set, &context).collect();
    if case["expect"].get("first8").is_some() && keys.len() >= 8 {
        let (first, last) = (&keys[..8], &keys[keys.len() - 4..]);
        return Ok(json!({ "count": keys.len(), "first8": first, "last4": last }));
    }
    Ok(json!({ "count": keys.len(), "keys": keys }))
}

fn parse(case: &Value, sets: &Sets) -> Answer {
    let multi = product(case, sets)?;
    let key = case["key"].as_str().unwrap();
    let parts = multi
        .keys_by_dimension(key)
        .map(|MultiPartitionKey(parts)| parts);
    let valid = PartitionsDefinition::from(multi).contains(key, &definitions::context(case));
    Ok(json!({ "valid": valid, "keys_by_dimension": parts.filter(|_| valid) }))
}

fn with_static(case: &Value) -> Answer {
    let dimension = |keys: &Value| fixed(keys).map(PartitionsDefinition::from);
    let multi = Multi::new([
        ("a", dimension(&case["keys"])?),
        ("b", dimension(&case["other_dim"])?),
    ])?;
    let context = definitions::context(&json!({ "current_time_utc": "2024-06-15T13:00:00Z" }));
    let definition = PartitionsDefinition::from(multi);
    let all = definition.all(&context);
    let keys: Vec<PartitionKey> = definition.keys(&all, &context).collect();
    Ok(json!({ "keys": keys }))
}
