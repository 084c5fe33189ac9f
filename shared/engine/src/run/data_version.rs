//! Data versions: data of equal versions need not be made again.

use sha2::{Digest, Sha256};

use crate::{hex::to_hex, run_id::RunId, state::InputVersion};

/// Derives the version of data whose function names none, as in Dagster: the same code version and
/// the same input versions give the same data version. Without a code version every run gives a new
/// one.
pub(super) fn derive_data_version(
    code_version: Option<&str>,
    run: RunId,
    inputs: &[InputVersion],
) -> String {
    let code = match code_version {
        Some(version) => format!("code:{version}"),
        None => format!("run:{run}"),
    };
    let mut input_lines: Vec<String> = inputs
        .iter()
        .map(|input| format!("{}:{:?}={}", input.asset, input.scope, input.data_version))
        .collect();
    // The order of the inputs is no part of the version.
    input_lines.sort();
    combine_versions(std::iter::once(code.as_str()).chain(input_lines.iter().map(String::as_str)))
}

/// Combines several versions into one.
pub(super) fn combine_versions<'a>(versions: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for version in versions {
        // The length separates the versions: "ab", "c" differs from "a", "bc".
        hash.update(version.len().to_le_bytes());
        hash.update(version);
    }
    to_hex(&hash.finalize()[..16])
}
