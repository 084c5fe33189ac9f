//! Builds definitions from a description.

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
    body::{AssetBody, CheckBody, input_spec, panic_always, request_run},
    description::{Function, Node, Project},
};

/// Builds the definitions of a described project.
///
/// # Errors
/// [`InvalidDefinitions`] if the description is invalid.
pub fn declare_project(project: Project) -> Result<Definitions, InvalidDefinitions> {
    let functions = project.functions;
    let sensors = project.sensors.into_iter().map(|sensor| {
        let function = functions.get(sensor.name.as_str());
        let sensor = SensorDefinition::new(sensor);
        match function {
            Some(Function::RequestsRun) => sensor.with_function(request_run),
            Some(Function::Panics) => sensor.with_function(panic_always),
            None => sensor,
        }
    });
    let schedules = project.schedules.into_iter().map(ScheduleDefinition::new);
    let triggers = sensors
        .map(Declaration::from)
        .chain(schedules.map(Declaration::from));
    let ops = project.assets.into_iter().flat_map(|node| {
        let key = node.key.clone();
        declare_asset(node)
            .unwrap_or_else(|reason| vec![invalid_declaration(key, reason.to_string())])
    });
    Definitions::builder()
        .declare(ops)
        .declare(triggers)
        .build()
}

/// Returns a declaration that fails the build of the definitions.
pub(crate) fn invalid_declaration(name: impl Into<String>, reason: String) -> Declaration {
    Declaration::Invalid {
        name: name.into(),
        reason,
        source: SourceLocation::here(),
    }
}

/// Declares an asset, with its checks.
fn declare_asset(node: Node) -> Result<Vec<Declaration>, Box<dyn std::error::Error>> {
    let key = AssetKey::new(&node.key)?;
    let mut asset = AssetSpec::new(key.clone());
    if !node.group.is_empty() {
        asset.group = GroupName::new(&node.group)?;
    }
    asset.partitions = node.keys.partitions_definition()?.map(Arc::new);
    asset.automation.clone_from(&node.automation);
    asset.freshness.clone_from(&node.freshness);
    let mut inputs = Vec::new();
    for dep in &node.deps {
        let upstream = AssetKey::new(&dep.asset)?;
        inputs.push(input_spec(upstream.clone()));
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
        if check.own_op {
            let body = CheckBody {
                asset: key.clone(),
                check: check.clone(),
            };
            let op = OpDefinition::new(OpSpec::check(spec_of_check), body);
            declared.push(op.into());
        } else {
            spec.checks.push(spec_of_check);
        }
    }
    let mut op = OpDefinition::new(spec, AssetBody(Arc::new(node)));
    op.inputs = inputs;
    declared.push(op.into());
    Ok(declared)
}
