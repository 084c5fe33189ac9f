//! Versions of data: equal versions mean that nothing has to be made again.

use sha2::{Digest, Sha256};

use crate::{run_id::RunId, state::InputVersion};

/// The version of data whose function names none, as in Dagster: made by the same version of the
/// code from the same versions of its inputs, it is the same. Without a code version every run makes
/// a version of its own.
pub(super) fn derived(code_version: Option<&str>, run: RunId, inputs: &[InputVersion]) -> String {
    let code = match code_version {
        Some(version) => format!("code:{version}"),
        None => format!("run:{run}"),
    };
    let mut inputs: Vec<String> = inputs
        .iter()
        .map(|input| format!("{}:{:?}={}", input.asset, input.scope, input.data_version))
        .collect();
    inputs.sort();
    combined(std::iter::once(code.as_str()).chain(inputs.iter().map(String::as_str)))
}

/// One version that stands for several.
pub(super) fn combined<'a>(versions: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for version in versions {
        hash.update(version.len().to_le_bytes());
        hash.update(version);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
