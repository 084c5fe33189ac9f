//! [`Batch`]: the decisions about some events, and the tick that records them.

use std::collections::{BTreeMap, BTreeSet};

use precip_core::{
    partitions::{PartitionContext, PartitionKey},
    trigger::{ObjectEvent, TemplateFit},
};

use super::{Decision, evaluation::Evaluation};
use crate::{
    state::{
        Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickOutcome, TickRequest, TriggerId,
        TriggerState, cut_text,
    },
    trigger::{
        RunRequest, SensorDefinition, TriggerPorts,
        memory::{Memory, digest_names},
        new_run::{
            KEY_BYTES_PER_RUN, MAX_REQUEST_BYTES, MAX_TICK_BYTES, key_bytes, new_run, request_bytes,
        },
        text::keys_text,
    },
};

/// Maximum number of partitions of one run, so that its request stays a small record.
const PARTITIONS_PER_RUN: usize = 2_000;

/// Maximum number of reasons that a tick keeps.
const REASONS: usize = 5;

/// Maximum length of a reason, in bytes as JSON.
const REASON_BYTES: usize = 600;

/// Maximum length of an object's key in a reason, in bytes as JSON.
const KEY_BYTES: usize = 160;

/// Requests that become one run, because they differ in nothing but their partitions.
pub(super) struct Group {
    pub(super) request: RunRequest,
    /// Indices of the given events that requested it; events that had waited have none.
    pub(super) events: Vec<usize>,
    /// Identities of all events that requested it, from which the run's key is derived.
    identities: Vec<String>,
    /// Size of its partition keys, in bytes.
    key_bytes: usize,
}

/// An event that requests nothing, and why.
struct Unrequested {
    key: String,
    reason: String,
    failed: bool,
}

/// The decisions about some events, made from one state of the trigger.
pub(super) struct Batch {
    pub(super) memory: Memory,
    /// The decisions about the first events, as many as fit into one tick.
    pub(super) decisions: Vec<Decision>,
    pub(super) groups: Vec<Group>,
    /// Size of all requests, in bytes.
    bytes: usize,
    /// The first events with each reason to request nothing, as many as a tick shows.
    unrequested: Vec<Unrequested>,
    /// Number of further events that request nothing.
    more_unrequested: usize,
    /// Keys to add to dynamic partition sets, by set.
    pub(super) added: BTreeMap<String, BTreeSet<PartitionKey>>,
    pub(super) context: PartitionContext,
    pub(super) fit: Option<TemplateFit>,
    /// True if there is something to record.
    pub(super) changed: bool,
}

impl Batch {
    /// Creates a batch without decisions.
    pub(super) fn new(memory: Memory, context: PartitionContext, fit: Option<TemplateFit>) -> Self {
        Self {
            memory,
            decisions: Vec::new(),
            groups: Vec::new(),
            bytes: 0,
            unrequested: Vec::new(),
            more_unrequested: 0,
            added: BTreeMap::new(),
            context,
            fit,
            changed: false,
        }
    }

    /// Returns this batch with the decision that an event failed, and nothing else.
    #[must_use]
    pub(super) fn with_failed(mut self, event: &ObjectEvent, message: &str) -> Self {
        let decision = Decision::Failed {
            message: message.to_owned(),
        };
        self.note_reason(&decision, event);
        self.decisions = vec![decision];
        self
    }

    /// Returns the index of the group that a request joins: one that differs in nothing but its
    /// partitions and has room for them. Requests of one run key always join.
    fn group_of(&self, request: &RunRequest) -> Option<usize> {
        let bytes = keys_bytes(request);
        self.groups.iter().position(|group| {
            let known = &group.request;
            known.run_key == request.run_key
                && known.selection == request.selection
                && known.config == request.config
                && known.tags == request.tags
                && (request.run_key.is_some()
                    || (known.partitions.len() + request.partitions.len() <= PARTITIONS_PER_RUN
                        && group.key_bytes + bytes <= KEY_BYTES_PER_RUN))
        })
    }

    /// Returns whether one tick can hold these requests together with those of the batch.
    pub(super) fn has_room(&self, requests: &[RunRequest]) -> bool {
        // An empty batch accepts every event: the requests of one event never exceed a tick.
        if self.groups.is_empty() || requests.is_empty() {
            return true;
        }
        let new = requests
            .iter()
            .filter(|request| self.group_of(request).is_none());
        // Joined requests of one run key are one record.
        let fits_record = |request: &RunRequest| {
            self.group_of(request).is_none_or(|index| {
                self.groups[index].key_bytes + keys_bytes(request) <= MAX_REQUEST_BYTES
            })
        };
        let bytes: usize = requests.iter().map(added_bytes).sum();
        self.groups.len() + new.count() <= MAX_RUNS_PER_TICK
            && self.bytes + bytes <= MAX_TICK_BYTES
            && requests.iter().all(fits_record)
    }

    /// Adds the evaluation of an event; `index` is its position among the given events, `None` for an
    /// event that had waited.
    ///
    /// The batch becomes exactly what one tick records: cursor, waiting events, keys to add and
    /// runs. Since a tick is recorded completely or not at all, an event is remembered as handled if
    /// and only if its runs are requested. That is why nothing may be recorded here, and why
    /// `changed` must be set for every difference to the state that was read: a batch that is not
    /// recorded is forgotten.
    pub(super) fn add_evaluation(
        &mut self,
        evaluation: Evaluation,
        event: &ObjectEvent,
        index: Option<usize>,
    ) {
        if let Some(cursor) = evaluation.function_cursor {
            self.changed |= cursor != self.memory.function_cursor;
            // The next event's call sees this cursor, as if each event had a tick of its own.
            self.memory.function_cursor = cursor;
        }
        match &evaluation.decision {
            Decision::Waits { .. } => {
                self.memory.add_waiting(event.clone());
                self.changed = true;
            }
            // Without an index, the event has just left the list of waiting events.
            _ => self.changed |= index.is_none(),
        }
        if evaluation.remember {
            self.memory.remember_event(event);
            self.changed = true;
        }
        self.note_reason(&evaluation.decision, event);
        for (set, key) in evaluation.added {
            self.added.entry(set).or_default().insert(key);
        }
        // Requests alone do not set `changed`: a decision that requests runs is always remembered.
        for request in evaluation.requests {
            self.bytes += added_bytes(&request);
            let group = self.group_of(&request).unwrap_or_else(|| {
                self.groups.push(Group {
                    request: RunRequest {
                        partitions: BTreeSet::new(),
                        ..request.clone()
                    },
                    events: Vec::new(),
                    identities: Vec::new(),
                    key_bytes: 0,
                });
                self.groups.len() - 1
            });
            let group = &mut self.groups[group];
            group.key_bytes += keys_bytes(&request);
            group.request.partitions.extend(request.partitions);
            group.events.extend(index);
            group.identities.push(event.identity());
        }
    }

    /// Builds the tick that records the batch.
    pub(super) fn to_advance(
        &self,
        ports: &TriggerPorts,
        sensor: &SensorDefinition,
        trigger: &TriggerId,
        state: &TriggerState,
    ) -> Advance {
        let now = self.context.now;
        let definition = self.fit.as_ref().and_then(TemplateFit::definition);
        let new_runs = self.groups.iter().map(|group| {
            // Without a run key, the events themselves name the run: a repeated evaluation of the
            // same events requests the same run.
            let key = match &group.request.run_key {
                Some(key) => key.clone(),
                None => format!("events:{}", digest_names(group.identities.iter().cloned())),
            };
            new_run(
                ports,
                trigger,
                sensor.spec.target.as_ref().map(ToString::to_string),
                &group.request,
                &key,
                keys_text(definition, &group.request.partitions, &self.context),
                now,
            )
        });
        let runs: Vec<NewRun> = new_runs.collect();
        let note = self.note_reasons();
        Advance {
            revision: state.revision,
            cursor: Some(self.memory.to_cursor(now)),
            at: now,
            scheduled_for: None,
            request: match &note {
                _ if !runs.is_empty() => TickRequest::Runs(runs),
                Some(message) if self.has_failed() => TickRequest::Fail {
                    message: message.clone(),
                },
                _ => TickRequest::Skip {
                    reason: note.clone(),
                },
            },
            note: note.filter(|_| !self.groups.is_empty()),
        }
    }

    /// Keeps the reason of an event that requests nothing and is not known already.
    fn note_reason(&mut self, decision: &Decision, event: &ObjectEvent) {
        let (reason, failed) = match decision {
            Decision::Waits { reason }
            | Decision::Early { reason }
            | Decision::Skipped { reason } => (reason, false),
            Decision::Failed { message } => (message, true),
            Decision::Requested { .. }
            | Decision::Duplicate
            | Decision::Superseded
            | Decision::Made
            | Decision::Ignored { .. } => return,
        };
        let reason = cut_text(reason, REASON_BYTES, "");
        if self.unrequested.iter().any(|known| known.reason == reason) {
            self.more_unrequested += 1;
            return;
        }
        // Failures come first: they are what a person has to mend.
        let shown = self.unrequested.iter().take_while(|known| known.failed);
        let position = if failed {
            shown.count()
        } else {
            self.unrequested.len()
        };
        let one = Unrequested {
            key: show_key(&event.key),
            reason,
            failed,
        };
        self.unrequested.insert(position, one);
        if self.unrequested.len() > REASONS {
            self.unrequested.truncate(REASONS);
            self.more_unrequested += 1;
        }
    }

    /// Returns whether an event failed.
    fn has_failed(&self) -> bool {
        self.unrequested.iter().any(|one| one.failed)
    }

    /// Returns whether an event failed or came too early, and the last tick does not say so. Such events are not
    /// remembered, so that nothing else changes for them.
    pub(super) fn has_new_refusal(&self, state: &TriggerState) -> bool {
        let is_refused = |decision: &Decision| match decision {
            Decision::Failed { .. } | Decision::Early { .. } => true,
            Decision::Requested { .. }
            | Decision::Duplicate
            | Decision::Superseded
            | Decision::Made
            | Decision::Waits { .. }
            | Decision::Ignored { .. }
            | Decision::Skipped { .. } => false,
        };
        let last = state.last_tick.as_ref();
        let known = last.and_then(|tick| match &tick.outcome {
            TickOutcome::Failed { message } => Some(message.as_str()),
            TickOutcome::Skipped { reason } => reason.as_deref(),
            TickOutcome::Requested(_) => tick.note.as_deref(),
        });
        self.decisions.iter().any(is_refused) && self.note_reasons().as_deref() != known
    }

    /// Joins the reasons of the events that request nothing, each with the object's key.
    fn note_reasons(&self) -> Option<String> {
        let each = self.unrequested.iter();
        let mut notes: Vec<String> = each
            .map(|one| format!("{}: {}", one.key, one.reason))
            .collect();
        if self.more_unrequested > 0 {
            notes.push(format!("and {} more objects", self.more_unrequested));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// Adds the ids of the created runs to the decisions of the events that requested them. Runs are
    /// created in the order of the groups.
    pub(super) fn assign_runs(&mut self, created: &[CreatedRun]) {
        for (group, created) in self.groups.iter().zip(created) {
            for index in &group.events {
                if let Some(Decision::Requested { runs, .. }) = self.decisions.get_mut(*index) {
                    runs.push(created.run().id);
                }
            }
        }
    }
}

/// Returns the size of the partition keys of a request, in bytes.
fn keys_bytes(request: &RunRequest) -> usize {
    request.partitions.iter().map(key_bytes).sum()
}

/// Returns the size that a request adds to a tick, in bytes, or more.
fn added_bytes(request: &RunRequest) -> usize {
    keys_bytes(request)
        + request_bytes(
            &RunRequest {
                partitions: BTreeSet::new(),
                ..request.clone()
            },
            None,
        )
}

/// Returns an object's key for a note: cut if it is long, and quoted if it has control characters.
pub(in crate::trigger) fn show_key(key: &str) -> String {
    let shown = cut_text(key, KEY_BYTES, "");
    if shown.contains(char::is_control) {
        return format!("{shown:?}");
    }
    shown
}
