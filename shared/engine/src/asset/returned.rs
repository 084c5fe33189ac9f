//! From what a function returned to what the engine records.

use precip_core::{
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    nearest::or_list,
    partitions::PartitionKey,
};

use crate::asset::{
    AssetContext, AssetError, AssetValue, CheckOutput, CheckResult, OpOutput, OpOutputs,
};

/// What a function made of one asset, for one partition or all that it was asked for.
#[derive(Debug, Default)]
pub struct Made {
    /// What its IO manager is to store; `None` when the function stored it itself.
    pub value: Option<AssetValue>,
    /// Facts to keep with the materialization.
    pub metadata: Metadata,
    /// Results of the checks that the asset declares.
    pub checks: Vec<CheckResult>,
    /// The version of the data.
    pub data_version: Option<String>,
}

/// What a function returned for one asset.
#[derive(Debug)]
pub enum Returned {
    /// Nothing: the asset is not materialized, and nothing failed.
    Nothing,
    /// Everything it was asked for.
    Whole(Made),
    /// Each partition apart.
    Parts(Vec<(PartitionKey, Result<Made, AssetError>)>),
}

/// What one invocation returned, on its way into [`OpOutputs`].
#[derive(Debug)]
pub struct Collector<'a> {
    context: &'a AssetContext,
    /// The checks that the op declares.
    checks: &'a [CheckKey],
    outputs: OpOutputs,
}

impl<'a> Collector<'a> {
    /// Starts with nothing returned.
    pub fn new(context: &'a AssetContext, checks: &'a [CheckKey]) -> Self {
        Self {
            context,
            checks,
            outputs: OpOutputs::default(),
        }
    }

    /// Adds what was returned for an asset. One that was not asked for is left out.
    ///
    /// # Errors
    /// Terminal: one value for several partitions, a partition that was not asked for, a result of a
    /// check that is not declared, or none of one that is.
    pub fn add(&mut self, asset: &AssetKey, returned: Returned) -> Result<(), AssetError> {
        let selected = self.context.selected();
        if !selected.is_empty() && !selected.contains(asset) {
            return Ok(());
        }
        match returned {
            Returned::Nothing => Ok(()),
            Returned::Whole(made) => self.add_whole(asset, made),
            Returned::Parts(parts) => self.add_parts(asset, parts),
        }
    }

    fn add_whole(&mut self, asset: &AssetKey, made: Made) -> Result<(), AssetError> {
        let partitions = self.context.partitions();
        if partitions.is_empty() {
            return self.add_one(asset, None, made);
        }
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
        for scope in partitions {
            let alike = Made {
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
        parts: Vec<(PartitionKey, Result<Made, AssetError>)>,
    ) -> Result<(), AssetError> {
        let mut missing: Vec<&PartitionKey> = self.context.partition_keys().collect();
        for (key, part) in parts {
            let Some(place) = missing.iter().position(|asked| **asked == key) else {
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
                        or_list(&asked).replace(" or ", " and ")
                    )
                }));
            };
            missing.remove(place);
            match part {
                Ok(made) => self.add_one(asset, Some(&key), made)?,
                Err(error) => self.fail(&key, error),
            }
        }
        for key in missing {
            let error = AssetError::terminal(format!("`{asset}` returned nothing for it"));
            self.fail(key, error);
        }
        Ok(())
    }

    /// A partition of an op fails once, with the first of its assets that failed.
    fn fail(&mut self, key: &PartitionKey, error: AssetError) {
        if self.outputs.failed.iter().all(|(failed, _)| failed != key) {
            self.outputs.failed.push((key.clone(), error));
        }
    }

    fn add_one(
        &mut self,
        asset: &AssetKey,
        partition: Option<&PartitionKey>,
        made: Made,
    ) -> Result<(), AssetError> {
        self.add_checks(asset, partition, made.checks)?;
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
        for result in results {
            let place = match &result.name {
                Some(name) => expected.iter().position(|check| check.name == *name),
                None if expected.len() == 1 => Some(0),
                None => None,
            };
            let Some(place) = place else {
                return Err(AssetError::terminal(unexpected(asset, &result, &expected)));
            };
            self.outputs.checks.push(CheckOutput {
                check: expected.remove(place).clone(),
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

    /// Adds what a check found that is a function of its own, about every partition that it was
    /// asked for.
    ///
    /// # Errors
    /// Terminal: a result of a check that is not declared, or none of one that is.
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

    /// Everything that was returned.
    pub fn finish(self) -> OpOutputs {
        self.outputs
    }
}

fn unexpected(asset: &AssetKey, result: &CheckResult, expected: &[&CheckKey]) -> String {
    let names: Vec<&str> = expected.iter().map(|check| check.name.as_str()).collect();
    let left = if names.is_empty() {
        "none is declared that has no result yet: add it to `checks = [..]`".to_owned()
    } else {
        format!(
            "those without a result are {}",
            or_list(&names).replace(" or ", " and ")
        )
    };
    match &result.name {
        Some(name) => format!("`{asset}` returned a result of check `{name}`: {left}"),
        None => format!("`{asset}` returned a check result without a name (`.named(..)`): {left}"),
    }
}

#[cfg(test)]
mod tests;
