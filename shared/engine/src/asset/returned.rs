//! Conversion of a function's return value into the outputs that the engine records.

use precip_core::{
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    partitions::PartitionKey,
    prose::and_list,
};

use crate::asset::{
    AssetContext, AssetError, AssetValue, CheckOutput, CheckResult, OpOutput, OpOutputs,
};

/// A materialization returned by a function: of one partition, or of all requested partitions.
#[derive(Debug, Default)]
pub struct ReturnedOutput {
    /// The data for its IO manager to store; `None` when the function stored it itself.
    pub value: Option<AssetValue>,
    /// Metadata recorded with the materialization.
    pub metadata: Metadata,
    /// The results of the checks that the asset declares.
    pub checks: Vec<CheckResult>,
    /// The data version, if the function sets one.
    pub data_version: Option<String>,
}

/// The return value of a function for one asset.
#[derive(Debug)]
pub enum ReturnValue {
    /// Nothing to make: the requested partitions of the asset are skipped, which is no failure.
    Nothing,
    /// One value for everything that was requested.
    Whole(ReturnedOutput),
    /// One result per partition; `None` for a partition with nothing to make.
    Parts(Vec<(PartitionKey, Result<Option<ReturnedOutput>, AssetError>)>),
}

/// A builder of [`OpOutputs`] from the values that an invocation returned.
#[derive(Debug)]
pub struct OutputCollector<'a> {
    context: &'a AssetContext,
    /// The checks that the op declares.
    checks: &'a [CheckKey],
    outputs: OpOutputs,
}

impl<'a> OutputCollector<'a> {
    /// Creates an empty collector.
    pub fn new(context: &'a AssetContext, checks: &'a [CheckKey]) -> Self {
        Self {
            context,
            checks,
            outputs: OpOutputs::default(),
        }
    }

    /// Adds the value returned for an asset. An asset that was not requested is left out.
    ///
    /// # Errors
    /// Terminal: one value for several partitions, a partition that was not requested, a result of
    /// an undeclared check, or no result of a declared one.
    pub fn add(&mut self, asset: &AssetKey, returned: ReturnValue) -> Result<(), AssetError> {
        let selected = self.context.selected();
        if !selected.is_empty() && !selected.contains(asset) {
            return Ok(());
        }
        match returned {
            ReturnValue::Nothing => {
                self.add_nothing(asset);
                Ok(())
            }
            ReturnValue::Whole(made) => self.add_whole(asset, made),
            ReturnValue::Parts(parts) => self.add_parts(asset, parts),
        }
    }

    /// Adds an asset that there is nothing to make of, for every requested partition. Its checks have
    /// nothing to check.
    fn add_nothing(&mut self, asset: &AssetKey) {
        let keys = self.context.partition_keys().cloned().map(Some);
        let keys: Vec<Option<PartitionKey>> = keys.collect();
        let whole = keys.is_empty().then_some(None);
        let pairs = keys
            .into_iter()
            .chain(whole)
            .map(|key| (asset.clone(), key));
        self.outputs.skipped.extend(pairs);
    }

    fn add_whole(&mut self, asset: &AssetKey, made: ReturnedOutput) -> Result<(), AssetError> {
        let partitions = self.context.partitions();
        if partitions.is_empty() {
            return self.add_one(asset, None, made);
        }
        // Without data, or with one partition, there is no doubt what the value belongs to.
        if let [only] = partitions {
            return self.add_one(asset, Some(&only.key), made);
        }
        if made.value.is_some() {
            return Err(AssetError::terminal(format!(
                "`{asset}` returned one value for {} partitions: return `Partitions<T>`, which \
                 holds one for each key",
                partitions.len()
            )));
        }
        // The function stored the data itself, so every requested partition shares its facts.
        for scope in partitions {
            let alike = ReturnedOutput {
                value: None,
                metadata: made.metadata.clone(),
                checks: made.checks.clone(),
                data_version: made.data_version.clone(),
            };
            self.add_one(asset, Some(&scope.key), alike)?;
        }
        Ok(())
    }

    fn add_parts(
        &mut self,
        asset: &AssetKey,
        parts: Vec<(PartitionKey, Result<Option<ReturnedOutput>, AssetError>)>,
    ) -> Result<(), AssetError> {
        let mut missing: Vec<&PartitionKey> = self.context.partition_keys().collect();
        for (key, part) in parts {
            let Some(index) = missing.iter().position(|asked| **asked == key) else {
                let asked: Vec<&str> = self
                    .context
                    .partition_keys()
                    .map(PartitionKey::as_str)
                    .collect();
                return Err(AssetError::terminal(if asked.contains(&key.as_str()) {
                    format!("`{asset}` returned partition `{key}` twice")
                } else if asked.is_empty() {
                    format!("`{asset}` has no partitions and returned partition `{key}`")
                } else {
                    format!(
                        "`{asset}` returned partition `{key}`, and was asked for {}",
                        and_list(&asked)
                    )
                }));
            };
            missing.remove(index);
            match part {
                Ok(Some(made)) => self.add_one(asset, Some(&key), made)?,
                Ok(None) => self.outputs.skipped.push((asset.clone(), Some(key))),
                Err(error) => self.add_failure(&key, error),
            }
        }
        // Partitions that the function did not mention have failed; the others count.
        for key in missing {
            let error = AssetError::terminal(format!("`{asset}` returned nothing for it"));
            self.add_failure(key, error);
        }
        Ok(())
    }

    /// Records a failed partition. A partition of an op fails once, with the first of its assets
    /// that failed.
    fn add_failure(&mut self, key: &PartitionKey, error: AssetError) {
        if self.outputs.failed.iter().all(|(failed, _)| failed != key) {
            self.outputs.failed.push((key.clone(), error));
        }
    }

    fn add_one(
        &mut self,
        asset: &AssetKey,
        partition: Option<&PartitionKey>,
        made: ReturnedOutput,
    ) -> Result<(), AssetError> {
        self.add_checks(asset, partition, made.checks)?;
        // Returned metadata replaces metadata that was added on the way.
        let mut metadata = self.context.added_metadata(asset);
        metadata.extend(made.metadata);
        self.outputs.made.push(OpOutput {
            asset: asset.clone(),
            partition: partition.cloned(),
            value: made.value,
            metadata,
            data_version: made.data_version,
        });
        Ok(())
    }

    fn add_checks(
        &mut self,
        asset: &AssetKey,
        partition: Option<&PartitionKey>,
        results: Vec<CheckResult>,
    ) -> Result<(), AssetError> {
        let mut expected: Vec<&CheckKey> = self
            .checks
            .iter()
            .filter(|check| check.asset == *asset)
            .collect();
        // Each result takes one declared check off the list, so what is left has no result.
        for result in results {
            // An unnamed result is unambiguous only if one check is left.
            let index = match &result.name {
                Some(name) => expected.iter().position(|check| check.name == *name),
                None if expected.len() == 1 => Some(0),
                None => None,
            };
            let Some(index) = index else {
                return Err(AssetError::terminal(unexpected_result_message(
                    asset, &result, &expected,
                )));
            };
            self.outputs.checks.push(CheckOutput {
                check: expected.remove(index).clone(),
                partition: partition.cloned(),
                result,
            });
        }
        match expected.first() {
            None => Ok(()),
            Some(check) => Err(AssetError::terminal(format!(
                "check `{}` of `{asset}` has no result: return one with `.check(..)`",
                check.name
            ))),
        }
    }

    /// Adds the results of a separate check function, for every requested partition.
    ///
    /// # Errors
    /// Terminal: a result of an undeclared check, or no result of a declared one.
    pub fn add_check(
        &mut self,
        asset: &AssetKey,
        results: &[CheckResult],
    ) -> Result<(), AssetError> {
        let partitions = self.context.partitions();
        if partitions.is_empty() {
            return self.add_checks(asset, None, results.to_vec());
        }
        for scope in partitions {
            self.add_checks(asset, Some(&scope.key), results.to_vec())?;
        }
        Ok(())
    }

    /// Returns everything that was collected.
    pub fn into_outputs(self) -> OpOutputs {
        self.outputs
    }
}

fn unexpected_result_message(
    asset: &AssetKey,
    result: &CheckResult,
    expected: &[&CheckKey],
) -> String {
    let names: Vec<&str> = expected.iter().map(|check| check.name.as_str()).collect();
    let left = if names.is_empty() {
        "none is declared that has no result yet: add it to `checks = [..]`".to_owned()
    } else {
        format!("those without a result are {}", and_list(&names))
    };
    match &result.name {
        Some(name) => format!("`{asset}` returned a result of check `{name}`: {left}"),
        None => format!("`{asset}` returned a check result without a name (`.named(..)`): {left}"),
    }
}

#[cfg(test)]
mod tests;
