//! The file of a run's plan, in the home, from which the run can be resumed.

use std::{fs, path::PathBuf};

use precip_core::plan::Plan;
use precip_engine::{
    run::{SystemClock, SystemRandomness, new_run_id},
    run_id::RunId,
};
use precip_local::home::Home;

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
    let folder = path.parent().unwrap_or(home.root());
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    // Written under another name first: a rename is atomic. Two processes may write the plan of one queued run.
    let unique = new_run_id(&SystemClock, &SystemRandomness);
    let draft = path.with_extension(format!("{unique}.draft"));
    fs::write(&draft, json).map_err(|error| failed(&error))?;
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
    let json = fs::read(&path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&json).map_err(|error| failed(&error))
}
