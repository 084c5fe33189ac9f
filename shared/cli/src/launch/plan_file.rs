//! The plan of a run, kept beside the record so that the run can be taken up again.

use std::{fs, path::PathBuf};

use precip_core::plan::Plan;
use precip_engine::run_id::RunId;
use precip_local::home::Home;

use crate::failure::Failure;

fn path(home: &Home, run: RunId) -> PathBuf {
    home.runs().join(run.to_string()).join("plan.json")
}

/// Keeps a plan. A reader sees all of it or none.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub(crate) fn write(home: &Home, run: RunId, plan: &Plan) -> Result<(), Failure> {
    let path = path(home, run);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("failed to write `{}`: {error}", path.display()))
    };
    let json = serde_json::to_vec(plan).map_err(|error| failed(&error))?;
    let folder = path.parent().unwrap_or(home.root());
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let draft = path.with_extension("draft");
    fs::write(&draft, json).map_err(|error| failed(&error))?;
    fs::rename(&draft, &path).map_err(|error| failed(&error))
}

/// Removes the plan of a run that never came to be. A plan that stays behind does no harm.
pub(super) fn remove(home: &Home, run: RunId) {
    if let Some(folder) = path(home, run).parent() {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Reads a plan.
///
/// # Errors
/// [`Failure`] when there is none, or it cannot be read.
pub(super) fn read(home: &Home, run: RunId) -> Result<Plan, Failure> {
    let path = path(home, run);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::environment(format!("failed to read the plan of run {run}: {error}"))
            .detail(&path.display().to_string())
            .help("start the run anew with `materialize`: what is made already can be left out with `--partitions missing`")
    };
    let json = fs::read(&path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&json).map_err(|error| failed(&error))
}
