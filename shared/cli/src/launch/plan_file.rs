//! The file of a run's plan, in the home, from which the run can be resumed.

use std::{fs, io::Write, path::PathBuf};

use precip_core::plan::Plan;
use precip_engine::{
    hex::to_hex,
    run::{SystemClock, SystemRandomness, new_run_id},
    run_id::RunId,
};
use precip_local::home::{Home, create_private_file, create_private_folder};
use sha2::{Digest, Sha256};

use crate::failure::Failure;

fn plan_path(home: &Home, run: RunId) -> PathBuf {
    home.runs_folder().join(run.to_string()).join("plan.json")
}

/// Writes a plan to its file, atomically.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub(crate) fn write_plan(home: &Home, run: RunId, plan: &Plan) -> Result<(), Failure> {
    let path = plan_path(home, run);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("failed to write `{}`: {error}", path.display()))
    };
    let json = serde_json::to_vec(plan).map_err(|error| failed(&error))?;
    let content = with_digest(&json);
    let folder = path.parent().unwrap_or(home.root());
    create_private_folder(folder).map_err(|error| failed(&error))?;
    // Written under another name first: a rename is atomic. Two processes may write the plan of one queued run.
    let unique = new_run_id(&SystemClock, &SystemRandomness);
    let draft = path.with_extension(format!("{unique}.draft"));
    create_private_file(&draft)
        .and_then(|mut file| file.write_all(&content))
        .map_err(|error| failed(&error))?;
    fs::rename(&draft, &path).map_err(|error| failed(&error))
}

/// Removes the plan of a run that was not created. A file that remains does no harm.
pub(super) fn remove_plan(home: &Home, run: RunId) {
    if let Some(folder) = plan_path(home, run).parent() {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Reads the plan of a run.
///
/// # Errors
/// [`Failure`] when there is no file, or it cannot be read.
pub(super) fn read_plan(home: &Home, run: RunId) -> Result<Plan, Failure> {
    let path = plan_path(home, run);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("failed to read the plan of run {run}: {error}"))
            .with_detail(&path.display().to_string())
            .with_help("start a new run with `materialize`: `--partitions missing` leaves out what is materialized already")
    };
    let content = fs::read(&path).map_err(|error| failed(&error))?;
    let json = check_digest(&content).map_err(|error| failed(&error))?;
    serde_json::from_slice(&json).map_err(|error| failed(&error))
}

/// The beginning of a file that holds the digest of the rest of its object.
const DIGEST: &[u8] = br#"{"digest":""#;
/// The text between the digest and the rest of the object.
const AFTER_DIGEST: &[u8] = br#"","#;

/// Adds the digest of a JSON object to it, as the first field.
fn with_digest(json: &[u8]) -> Vec<u8> {
    let digest = digest_of(json);
    // The object of a plan has fields, so its `{` is followed by one.
    [DIGEST, digest.as_bytes(), AFTER_DIGEST, &json[1..]].concat()
}

/// Returns the JSON object without its digest. A file of an older version has none.
///
/// # Errors
/// [`ChangedPlan`] when the object is not the one that was written: its run was planned and checked with that one.
fn check_digest(content: &[u8]) -> Result<Vec<u8>, ChangedPlan> {
    let Some(rest) = content.strip_prefix(DIGEST) else {
        // Also a file with a digest in another place was changed.
        let mentions = content
            .windows(DIGEST.len() - 2)
            .any(|part| part == &DIGEST[1..DIGEST.len() - 1]);
        return if mentions {
            Err(ChangedPlan)
        } else {
            Ok(content.to_owned())
        };
    };
    let digits = digest_of(&[]).len();
    let (digest, rest) = rest.split_at_checked(digits).ok_or(ChangedPlan)?;
    let fields = rest.strip_prefix(AFTER_DIGEST).ok_or(ChangedPlan)?;
    let json = [b"{", fields].concat();
    if digest_of(&json).as_bytes() == digest {
        Ok(json)
    } else {
        Err(ChangedPlan)
    }
}

fn digest_of(json: &[u8]) -> String {
    to_hex(&Sha256::digest(json))
}

/// A plan that was changed after it was written.
#[derive(Debug, PartialEq, Eq)]
struct ChangedPlan;

impl std::fmt::Display for ChangedPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file was changed or damaged since the run was planned")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_of_a_written_plan_is_accepted() {
        let json = br#"{"at":"2024-01-10T12:00:00Z","stages":[{"op":"flights"}]}"#;
        let written = with_digest(json);
        assert_eq!(check_digest(&written).unwrap(), json);
        serde_json::from_slice::<serde_json::Value>(&written).unwrap();
        for bit in 0..written.len() * 8 {
            let mut flipped = written.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A change of the first field's name makes it another file, which is no plan.
            if let Ok(json) = check_digest(&flipped) {
                assert_eq!(json, flipped, "bit {bit}");
                assert!(bit / 8 < DIGEST.len(), "bit {bit}");
            }
        }
        let text = String::from_utf8(written).unwrap();
        let edited = text.replace("flights", "airlines");
        assert_eq!(check_digest(edited.as_bytes()), Err(ChangedPlan));
        let moved = text.replacen('{', "{ ", 1);
        assert_eq!(check_digest(moved.as_bytes()), Err(ChangedPlan));
    }

    #[test]
    fn a_plan_of_an_older_version_has_no_digest() {
        let json = br#"{"at":"2024-01-10T12:00:00Z","stages":[]}"#;
        assert_eq!(check_digest(json).unwrap(), json);
    }
}
