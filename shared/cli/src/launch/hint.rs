//! Suggestions after a run.

use precip_core::{plan::Plan, prose::shell_word};
use precip_engine::state::{PartitionRef, ReadConsistency};

use crate::{failure::Failure, session::Session};

/// Returns a suggestion how to look at the result of a run: the command that shows the last partition
/// with data in an IO manager.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn next_commands(session: &Session, plan: &Plan) -> Result<String, Failure> {
    let graph = session.definitions.graph();
    let draw = "`graph --output graph.svg` draws the assets";
    let steps: Vec<_> = plan.steps().collect();
    // Backwards: the end of the graph is what a run is for.
    for (_, stage, step) in steps.into_iter().rev() {
        let Some(ordinal) = stage.partitions.last() else {
            continue;
        };
        for key in &step.assets {
            let Some(id) = graph.id(key) else { continue };
            let Some(target) = session
                .partition_refs(id, &[ordinal].into_iter().collect())
                .pop()
            else {
                continue;
            };
            let latest = session
                .store
                .latest_materialization(&target, ReadConsistency::Strong)
                .await?;
            let made = latest.as_ref().and_then(|latest| latest.published());
            if made.is_some_and(|made| made.pointer.is_some()) {
                let suffix = session.target.option_suffix();
                return Ok(format!(
                    "`{}{suffix}` prints the data, {draw}",
                    show_command(&target)
                ));
            }
        }
    }
    Ok(draw.to_owned())
}

/// Returns the command that shows a partition, quoted for a shell.
fn show_command(target: &PartitionRef) -> String {
    match &target.partition {
        None => format!("show {}", target.asset),
        Some(key) => {
            let key = shell_word(key.as_str());
            format!("show {} --partition {key}", target.asset)
        }
    }
}
