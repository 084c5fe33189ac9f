//! [`Batch`]: the decisions about some events, and the tick that records them.

use std::collections::{BTreeMap, BTreeSet};

use precip_core::{
    partitions::{PartitionContext, PartitionKey},
    trigger::{ObjectEvent, TemplateFit},
};

use super::{Decision, evaluation::Evaluation};
use crate::{
    state::{Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickRequest, TriggerId, TriggerState},
    trigger::{
        RunRequest, SensorDefinition, TriggerPorts,
        memory::{Memory, digest_names},
        new_run::new_run,
        text::keys_text,
    },
};

/// Maximum number of partitions of one run, so that its request stays a small record.
const PARTITIONS_PER_RUN: usize = 2_000;

/// Maximum number of reasons that a tick keeps.
const REASONS: usize = 5;

/// Requests that become one run, because they differ in nothing but their partitions.
pub(super) struct Group {
    pub(super) request: RunRequest,
    /// Indices of the given events that requested it; events that had waited have none.
    pub(super) events: Vec<usize>,
    /// Identities of all events that requested it, from which the run's key is derived.
    identities: Vec<String>,
}

/// The decisions about some events, made from one state of the trigger.
pub(super) struct Batch {
    pub(super) memory: Memory,
    /// The decisions about the first events, as many as fit into one tick.
    pub(super) decisions: Vec<Decision>,
    pub(super) groups: Vec<Group>,
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
            added: BTreeMap::new(),
            context,
            fit,
            changed: false,
        }
    }

    /// Returns the index of the group that a request joins: one that differs in nothing but its
    /// partitions and has room for them. Requests of one run key always join.
    fn group_of(&self, request: &RunRequest) -> Option<usize> {
        self.groups.iter().position(|group| {
            let known = &group.request;
            known.run_key == request.run_key
                && known.selection == request.selection
                && known.config == request.config
                && known.tags == request.tags
                && (request.run_key.is_some()
                    || known.partitions.len() + request.partitions.len() <= PARTITIONS_PER_RUN)
        })
    }

    /// Returns whether one tick can hold these requests together with those of the batch.
    pub(super) fn has_room(&self, requests: &[RunRequest]) -> bool {
        let new = requests
            .iter()
            .filter(|request| self.group_of(request).is_none());
        // An empty batch accepts every event: the requests of one event never exceed a tick.
        self.groups.is_empty() || self.groups.len() + new.count() <= MAX_RUNS_PER_TICK
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
                self.memory.waiting.push(event.clone());
                self.changed = true;
            }
            // Without an index, the event has just left the list of waiting events.
            _ => self.changed |= index.is_none(),
        }
        if evaluation.remember {
            self.memory.remember_event(event);
            self.changed = true;
        }
        for (set, key) in evaluation.added {
            self.added.entry(set).or_default().insert(key);
        }
        // Requests alone do not set `changed`: a decision that requests runs is always remembered.
        for request in evaluation.requests {
            let group = self.group_of(&request).unwrap_or_else(|| {
                self.groups.push(Group {
                    request: RunRequest {
                        partitions: BTreeSet::new(),
                        ..request.clone()
                    },
                    events: Vec::new(),
                    identities: Vec::new(),
                });
                self.groups.len() - 1
            });
            let group = &mut self.groups[group];
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
            request: if runs.is_empty() {
                TickRequest::Skip {
                    reason: note.clone(),
                }
            } else {
                TickRequest::Runs(runs)
            },
            note: note.filter(|_| !self.groups.is_empty()),
        }
    }

    /// Joins the reasons of the events that request nothing.
    fn note_reasons(&self) -> Option<String> {
        let mut reasons: Vec<&str> = Vec::new();
        for decision in &self.decisions {
            let reason = match decision {
                Decision::Waits { reason } | Decision::Skipped { reason } => reason.as_str(),
                Decision::Failed { message } => message.as_str(),
                _ => continue,
            };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        let more = reasons.len().saturating_sub(REASONS);
        reasons.truncate(REASONS);
        let mut note = reasons.join("; ");
        if more > 0 {
            note = format!("{note}; and {more} more reasons");
        }
        (!note.is_empty()).then_some(note)
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
