//! What the functions of the assets and checks do.

use std::sync::Arc;

use async_trait::async_trait;
use precip::{
    Resources,
    core::{key::AssetKey, metadata::MetadataValue, partitions::PartitionKey},
    engine::{
        asset::{
            CheckOutput, InputNeeds, InputSpec, Inputs, LoadedInput, OpBody, OpOutput, OpOutputs,
        },
        trigger::TriggerFuture,
    },
    io::Value,
    prelude::*,
};

use crate::description::{Check, Fault, Node};

/// The function of an asset.
pub(crate) struct Make(pub(crate) Arc<Node>);

/// The function of a check that has its own.
pub(crate) struct Look {
    pub(crate) asset: AssetKey,
    pub(crate) check: Check,
}

/// The function of a sensor that asks for a run of its target.
pub(crate) fn asks(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Ok(SensorResult::requests([RunRequest::new()])) })
}

/// The function of a sensor that panics.
pub(crate) fn panics(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { std::panic::resume_unwind(Box::new("told to panic")) })
}

/// What a function is given of an upstream asset: however many partitions, each of which has to be
/// there.
pub(crate) fn input(asset: AssetKey) -> InputSpec {
    InputSpec {
        name: asset.as_str().to_owned(),
        asset,
        needs: InputNeeds {
            many: true,
            ..InputNeeds::default()
        },
    }
}

/// The partitions that an invocation is asked for, by how a description calls them.
fn asked(context: &AssetContext) -> Vec<Option<PartitionKey>> {
    let keys: Vec<_> = context.partition_keys().cloned().map(Some).collect();
    match keys.is_empty() {
        true => vec![None],
        false => keys,
    }
}

fn called(key: Option<&PartitionKey>) -> &str {
    key.map_or("", PartitionKey::as_str)
}

fn sum(input: &LoadedInput) -> Result<i64, AssetError> {
    let number = |part: &precip::engine::asset::LoadedPart| {
        let Some(Value::Json(value)) = part.value.downcast_ref::<Value>() else {
            return Err(AssetError::terminal("what was loaded is no JSON"));
        };
        let number = value.as_i64();
        number.ok_or_else(|| AssetError::terminal("what was loaded is no number"))
    };
    input.parts.iter().map(number).sum()
}

/// Ends the process as a system does that has no memory left.
fn killed() {
    if std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        std::process::abort();
    }
}

impl Make {
    /// What becomes of a partition in this attempt.
    fn meet(&self, key: &str, attempt: u32) -> Result<(), AssetError> {
        match self.0.faults.get(key) {
            Some(Fault::Retryable) => Err(AssetError::retryable("told to fail")),
            Some(Fault::Terminal) => Err(AssetError::terminal("told to fail for good")),
            Some(Fault::Panic) => std::panic::resume_unwind(Box::new("told to panic")),
            Some(Fault::First(attempts)) if attempt <= *attempts => {
                Err(AssetError::retryable(format!("no answer to {attempt}")))
            }
            Some(Fault::Killed(attempts)) if attempt <= *attempts => {
                killed();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn found(&self, asset: &AssetKey, key: Option<&PartitionKey>) -> Vec<CheckOutput> {
        let own = self.0.checks.iter().filter(|check| !check.apart);
        own.map(|check| CheckOutput {
            check: check.key(asset),
            partition: key.cloned(),
            result: result(check, key),
        })
        .collect()
    }
}

fn result(check: &Check, key: Option<&PartitionKey>) -> CheckResult {
    let passed = !check.wrong_in.contains(called(key));
    CheckResult::passed_if(passed).severity(check.severity)
}

#[async_trait]
impl OpBody for Make {
    async fn run_op(
        &self,
        context: AssetContext,
        inputs: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let [asset] = context.selected() else {
            return Err(AssetError::terminal("one asset has to be asked for"));
        };
        let attempt = context.attempt();
        let mut made = 1;
        for input in inputs.values() {
            made += sum(input)?;
        }
        let keys = asked(&context);
        let together = keys.len() > 1;
        let mut outputs = OpOutputs::default();
        for key in &keys {
            match (self.meet(called(key.as_ref()), attempt), key) {
                (Ok(()), _) => {}
                (Err(error), Some(key)) if together => {
                    outputs.failed.push((key.clone(), error));
                    continue;
                }
                (Err(error), _) => return Err(error),
            }
            outputs.checks.extend(self.found(asset, key.as_ref()));
            outputs.made.push(OpOutput {
                asset: asset.clone(),
                partition: key.clone(),
                value: Some(Value::Json(made.into()).into()),
                metadata: [("value".to_owned(), MetadataValue::Int(made))].into(),
                data_version: None,
            });
        }
        let late = |key: &Option<PartitionKey>| {
            let fault = self.0.faults.get(called(key.as_ref()));
            matches!(fault, Some(Fault::KilledLate(attempts)) if attempt <= *attempts)
        };
        if keys.iter().any(late) {
            // The attempt's data is stored and committed meanwhile, or is about to be.
            std::thread::spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(30));
                killed();
            });
        }
        Ok(outputs)
    }
}

#[async_trait]
impl OpBody for Look {
    async fn run_op(
        &self,
        context: AssetContext,
        _: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let mut outputs = OpOutputs::default();
        for key in asked(&context) {
            if self.check.fails_in.contains(called(key.as_ref())) {
                return Err(AssetError::terminal("told to fail"));
            }
            outputs.checks.push(CheckOutput {
                check: self.check.key(&self.asset),
                result: result(&self.check, key.as_ref()),
                partition: key,
            });
        }
        Ok(outputs)
    }
}
