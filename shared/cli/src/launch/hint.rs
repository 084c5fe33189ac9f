//! What to try after a run.

use precip_core::plan::Plan;
use precip_engine::state::{PartitionRef, ReadConsistency};

use crate::{failure::Failure, session::Session};

/// How to look at what a run made, by the last thing it made that can be shown.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(super) async fn next(session: &Session, plan: &Plan) -> Result<String, Failure> {
    let graph = session.definitions.graph();
    let draw = "`graph --output graph.svg` draws the assets";
    let steps: Vec<_> = plan.steps().collect();
    for (_, stage, step) in steps.into_iter().rev() {
        let Some(ordinal) = stage.partitions.last() else {
            continue;
        };
        for key in &step.assets {
            let Some(id) = graph.id(key) else { continue };
            let Some(target) = session.targets(id, &[ordinal].into_iter().collect()).pop() else {
                continue;
            };
            let latest = session
                .store
                .latest(&target, ReadConsistency::Strong)
                .await?;
            let made = latest.as_ref().and_then(|latest| latest.published());
            if made.is_some_and(|made| made.pointer.is_some()) {
                let suffix = session.place.suffix();
                return Ok(format!(
                    "`{}{suffix}` prints what was made, {draw}",
                    show(&target)
                ));
            }
        }
    }
    Ok(draw.to_owned())
}

/// The command that shows a partition, as it is typed in a shell.
fn show(target: &PartitionRef) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+,".contains(c);
    match &target.partition {
        None => format!("show {}", target.asset),
        Some(key) if key.as_str().chars().all(plain) => {
            format!("show {} --partition {key}", target.asset)
        }
        Some(key) => {
            let quoted = key.as_str().replace('\'', r"'\''");
            format!("show {} --partition '{quoted}'", target.asset)
        }
    }
}
