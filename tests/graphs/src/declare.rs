//! From a description to definitions.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use precip::{
    core::{
        key::AssetKey,
        spec::{
            AssetSpec, BackfillPolicy, Backoff, CheckSpec, DepSpec, GroupName, Jitter, OpSpec,
            RetryPolicy,
        },
    },
    engine::{
        definitions::{Declaration, OpDefinition, SourceLocation},
        trigger::{ScheduleDefinition, SensorDefinition},
    },
    prelude::*,
};

use crate::{
    body::{Look, Make, asks, input, panics},
    description::{Function, Node, Project},
};

/// The definitions that a project is described by.
///
/// # Errors
/// [`InvalidDefinitions`]: everything that is wrong with it.
pub fn declare(project: Project) -> Result<Definitions, InvalidDefinitions> {
    let functions = project.functions;
    let sensors = project.sensors.into_iter().map(|sensor| {
        let function = functions.get(sensor.name.as_str());
        let sensor = SensorDefinition::new(sensor);
        match function {
            Some(Function::Asks) => sensor.with_function(asks),
            Some(Function::Panics) => sensor.with_function(panics),
            None => sensor,
        }
    });
    let schedules = project.schedules.into_iter().map(ScheduleDefinition::new);
    let triggers = sensors
        .map(Declaration::from)
        .chain(schedules.map(Declaration::from));
    let ops = project.assets.into_iter().flat_map(|node| {
        let key = node.key.clone();
        ops(node).unwrap_or_else(|reason| vec![invalid(key, reason.to_string())])
    });
    Definitions::builder()
        .declare(ops)
        .declare(triggers)
        .build()
}

/// A declaration that cannot be used.
pub(crate) fn invalid(name: impl Into<String>, reason: String) -> Declaration {
    Declaration::Invalid {
        name: name.into(),
        reason,
        source: SourceLocation::here(),
    }
}

fn ops(node: Node) -> Result<Vec<Declaration>, Box<dyn std::error::Error>> {
    let key = AssetKey::new(&node.key)?;
    let mut asset = AssetSpec::new(key.clone());
    if !node.group.is_empty() {
        asset.group = GroupName::new(&node.group)?;
    }
    asset.partitions = node.keys.definition()?.map(Arc::new);
    asset.automation.clone_from(&node.automation);
    asset.freshness.clone_from(&node.freshness);
    let mut inputs = Vec::new();
    for dep in &node.deps {
        let upstream = AssetKey::new(&dep.asset)?;
        inputs.push(input(upstream.clone()));
        asset
            .deps
            .push(DepSpec::new(upstream).with_mapping(dep.mapping.clone()));
    }
    let mut spec = OpSpec::single(asset);
    spec.retry = (node.retries > 0).then_some(RetryPolicy {
        max_retries: node.retries,
        delay: Duration::from_millis(1),
        backoff: Backoff::Constant,
        jitter: Jitter::None,
    });
    if let Some(size) = node.batch.and_then(NonZeroU32::new) {
        spec.backfill = BackfillPolicy::MultiRun(size);
    }
    let mut declared = Vec::new();
    for check in &node.checks {
        let mut spec_of_check = CheckSpec::new(check.key(&key));
        spec_of_check.blocking = check.blocking;
        if check.apart {
            let look = Look {
                asset: key.clone(),
                check: check.clone(),
            };
            let op = OpDefinition::new(OpSpec::check(spec_of_check), look);
            declared.push(op.into());
        } else {
            spec.checks.push(spec_of_check);
        }
    }
    let mut op = OpDefinition::new(spec, Make(Arc::new(node)));
    op.inputs = inputs;
    declared.push(op.into());
    Ok(declared)
}
