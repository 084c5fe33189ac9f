//! The run of a sensor's or schedule's request, as it is recorded.

use chrono::{DateTime, Utc};

use super::{RunRequest, TriggerPorts};
use crate::state::{NewRun, RequestedWork, RunKey, RunOrigin, TriggerId};

/// Builds the run of a request. `key` makes the request unique for its trigger, `target` is the
/// declared selection, and `partitions` the request's partitions as text.
pub(super) fn new_run(
    ports: &TriggerPorts,
    trigger: &TriggerId,
    target: Option<String>,
    request: &RunRequest,
    key: &str,
    partitions: Option<String>,
    now: DateTime<Utc>,
) -> NewRun {
    let mut tags = request.tags.clone();
    let tag = format!("precip/{}", trigger.kind.as_str());
    tags.entry(tag).or_insert_with(|| trigger.name.clone());
    NewRun {
        id: ports.run_id(),
        key: Some(RunKey::from_trigger(trigger, key)),
        request: RequestedWork {
            selection: request.selection.clone().or(target).unwrap_or_default(),
            partitions,
            config: request.config.clone(),
            tags,
            origin: RunOrigin::Trigger(trigger.clone()),
        },
        plan: None,
        created_at: now,
    }
}
