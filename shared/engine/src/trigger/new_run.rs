//! The run of a sensor's or schedule's request, as it is recorded.

use chrono::{DateTime, Utc};
use precip_core::partitions::PartitionKey;

use super::{RunRequest, TriggerPorts};
use crate::state::{NewRun, RequestedWork, RunKey, RunOrigin, TriggerId};

/// Maximum size of a request, in bytes as JSON: its run is a record of up to
/// [`MAX_RECORD_BYTES`](crate::state::MAX_RECORD_BYTES), which contains its plan's summary later.
pub(super) const MAX_REQUEST_BYTES: usize = 192 * 1024;

/// Maximum size of the partition keys of one run that joins requests, in bytes. So the runs of a tick fit into one
/// transaction.
pub(super) const KEY_BYTES_PER_RUN: usize = 64 * 1024;

/// Maximum size of the requests of one tick, in bytes as JSON. A transaction of DynamoDB writes up to 4 MB.
pub(super) const MAX_TICK_BYTES: usize = 2 * 1024 * 1024;

/// Returns the size of a request in bytes as JSON, given its partitions as text.
pub(super) fn request_bytes(request: &RunRequest, partitions: Option<&str>) -> usize {
    let size = |json: Result<String, _>| json.map_or(usize::MAX / 8, |json| json.len());
    [
        size(serde_json::to_string(&partitions)),
        size(serde_json::to_string(&request.config)),
        size(serde_json::to_string(&request.tags)),
        size(serde_json::to_string(&request.selection)),
        size(serde_json::to_string(&request.run_key)),
    ]
    .iter()
    .sum()
}

/// Returns the size of a run to create, in bytes as JSON.
pub(super) fn run_bytes(run: &NewRun) -> usize {
    serde_json::to_string(run).map_or(0, |json| json.len())
}

/// Returns the size that a key takes in the partitions of a request, in bytes, or more.
pub(super) fn key_bytes(key: &PartitionKey) -> usize {
    // A quote or backslash of a quoted key is escaped there, and both characters once more in JSON.
    let escaped = key
        .as_str()
        .bytes()
        .filter(|byte| matches!(byte, b'"' | b'\\'));
    key.as_str().len() + 3 * escaped.count() + 5
}

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
