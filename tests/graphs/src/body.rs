//! The functions of described assets, checks and sensors.

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
pub(crate) struct AssetBody(pub(crate) Arc<Node>);

/// The op of a check that has its own.
pub(crate) struct CheckBody {
    pub(crate) asset: AssetKey,
    pub(crate) check: Check,
}

/// Requests a run of the sensor's target.
pub(crate) fn request_run(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Ok(SensorResult::requests([RunRequest::new()])) })
}

/// Panics, as a broken sensor function.
pub(crate) fn panic_always(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { std::panic::resume_unwind(Box::new("told to panic")) })
}

/// Returns the input of an upstream asset: any number of partitions, all of them materialized.
pub(crate) fn input_spec(asset: AssetKey) -> InputSpec {
    InputSpec {
        name: asset.as_str().to_owned(),
        asset,
        needs: InputNeeds {
            many: true,
            ..InputNeeds::default()
        },
    }
}

/// Returns the requested partitions; `None` is that of an unpartitioned asset.
fn requested_keys(context: &AssetContext) -> Vec<Option<PartitionKey>> {
    let keys: Vec<_> = context.partition_keys().cloned().map(Some).collect();
    if keys.is_empty() { vec![None] } else { keys }
}

/// Returns the name of a partition in a description.
fn described_key(key: Option<&PartitionKey>) -> &str {
    key.map_or("", PartitionKey::as_str)
}

/// Adds up the parts of an input.
fn sum_parts(input: &LoadedInput) -> Result<i64, AssetError> {
    let number = |part: &precip::engine::asset::LoadedPart| {
        let Some(Value::Json(value)) = part.value.downcast_ref::<Value>() else {
            return Err(AssetError::terminal("the loaded value is not JSON"));
        };
        let number = value.as_i64();
        number.ok_or_else(|| AssetError::terminal("the loaded value is not a number"))
    };
    input.parts.iter().map(number).sum()
}

/// Aborts the process on Lambda, as the system does without memory.
fn abort_on_lambda() {
    if std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        std::process::abort();
    }
}

impl AssetBody {
    /// Fails an attempt at a partition by its fault.
    fn raise_fault(&self, key: &str, attempt: u32) -> Result<(), AssetError> {
        match self.0.faults.get(key) {
            Some(Fault::Retryable) => Err(AssetError::retryable("told to fail")),
            Some(Fault::Terminal) => Err(AssetError::terminal("told to fail for good")),
            Some(Fault::Panic) => std::panic::resume_unwind(Box::new("told to panic")),
            Some(Fault::First(attempts)) if attempt <= *attempts => {
                Err(AssetError::retryable(format!("no answer to {attempt}")))
            }
            Some(Fault::Killed(attempts)) if attempt <= *attempts => {
                abort_on_lambda();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the results of the checks that are part of the asset's function.
    fn check_outputs(&self, asset: &AssetKey, key: Option<&PartitionKey>) -> Vec<CheckOutput> {
        let own = self.0.checks.iter().filter(|check| !check.own_op);
        own.map(|check| CheckOutput {
            check: check.key(asset),
            partition: key.cloned(),
            result: check_result(check, key),
        })
        .collect()
    }
}

fn check_result(check: &Check, key: Option<&PartitionKey>) -> CheckResult {
    let passed = !check.failing_in.contains(described_key(key));
    CheckResult::passed_if(passed).severity(check.severity)
}

#[async_trait]
impl OpBody for AssetBody {
    async fn run_op(
        &self,
        context: AssetContext,
        inputs: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let [asset] = context.selected() else {
            return Err(AssetError::terminal(
                "exactly one asset has to be requested",
            ));
        };
        let attempt = context.attempt();
        let mut total = 1;
        for input in inputs.values() {
            total += sum_parts(input)?;
        }
        let keys = requested_keys(&context);
        let is_batch = keys.len() > 1;
        let mut outputs = OpOutputs::default();
        for key in &keys {
            // In a batch a partition fails alone, as long as the function can report it.
            match (self.raise_fault(described_key(key.as_ref()), attempt), key) {
                (Ok(()), _) => {}
                (Err(error), Some(key)) if is_batch => {
                    outputs.failed.push((key.clone(), error));
                    continue;
                }
                (Err(error), _) => return Err(error),
            }
            let fault = self.0.faults.get(described_key(key.as_ref()));
            if matches!(fault, Some(Fault::Nothing)) {
                outputs.skipped.push((asset.clone(), key.clone()));
                continue;
            }
            outputs
                .checks
                .extend(self.check_outputs(asset, key.as_ref()));
            outputs.made.push(OpOutput {
                asset: asset.clone(),
                partition: key.clone(),
                value: Some(Value::Json(total.into()).into()),
                metadata: [("value".to_owned(), MetadataValue::Int(total))].into(),
                data_version: None,
            });
        }
        let aborts_late = |key: &Option<PartitionKey>| {
            let fault = self.0.faults.get(described_key(key.as_ref()));
            matches!(fault, Some(Fault::KilledLate(attempts)) if attempt <= *attempts)
        };
        if keys.iter().any(aborts_late) {
            // The process ends while the attempt is stored and committed, or shortly after.
            std::thread::spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(30));
                abort_on_lambda();
            });
        }
        Ok(outputs)
    }
}

#[async_trait]
impl OpBody for CheckBody {
    async fn run_op(
        &self,
        context: AssetContext,
        _: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let mut outputs = OpOutputs::default();
        for key in requested_keys(&context) {
            if self.check.erroring_in.contains(described_key(key.as_ref())) {
                return Err(AssetError::terminal("told to fail"));
            }
            outputs.checks.push(CheckOutput {
                check: self.check.key(&self.asset),
                result: check_result(&self.check, key.as_ref()),
                partition: key,
            });
        }
        Ok(outputs)
    }
}
