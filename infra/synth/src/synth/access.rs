//! The rows of the table that each function may read and write.
//!
//! A row's partition key begins with its kind: `L#` latest of a partition, `E#` its events, `A#`
//! attempts, `X#` checks, `F#` failed checks, `B#` status rollups, `U#` updates, `R#` a run, `RL#`
//! and `RD` lists of runs, `K#` run keys, `S#` cursors and ticks, `D#` dynamic partition keys, `C#`
//! and `CL` pools.

use serde_json::{Value, json};

use super::reactions::Reactions;

/// The functions' permissions on the table.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) planner: [Statement; 2],
    pub(super) materializer: [Statement; 2],
    pub(super) reactor: Vec<Statement>,
    pub(super) sensor: [Statement; 2],
    reactions: Reactions,
}

/// One statement of a policy.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sid: &'static str,
    actions: &'static [&'static str],
    pub(super) keys: &'static [&'static str],
}

const READ: &[&str] = &["GetItem", "BatchGetItem", "Query"];

/// A transaction needs the permissions of its operations.
const WRITE: &[&str] = &[
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "ConditionCheckItem",
];

impl Access {
    pub(super) fn new(reactions: Reactions) -> Self {
        Self {
            planner: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &[
                        "L#*", "E#*", "A#*", "X#*", "F#*", "B#*", "U#*", "R#*", "RL#*", "RD",
                        "K#*", "S#*", "D#*", "C#*", "CL",
                    ],
                },
                Statement {
                    // Runs, failures that the materializer could not record, and the renumbering of
                    // partitions whose definition has changed.
                    sid: "WriteRuns",
                    actions: WRITE,
                    keys: &[
                        "L#*", "E#*", "A#*", "X#*", "F#*", "B#*", "U#*", "R#*", "RL#*", "RD",
                        "K#*", "C#*",
                    ],
                },
            ],
            materializer: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &["L#*", "A#*", "X#*", "R#*", "D#*", "C#*"],
                },
                Statement {
                    sid: "WriteWhatWasMade",
                    actions: WRITE,
                    keys: &["L#*", "E#*", "A#*", "X#*", "R#*", "C#*"],
                },
            ],
            reactor: reactor_statements(reactions),
            reactions,
            sensor: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    // The lists of runs, for the newest one: a run that is requested is newer.
                    keys: &["L#*", "R#*", "RL#*", "RD", "K#*", "S#*", "D#*"],
                },
                Statement {
                    // Cursors with the runs that they request, and keys of dynamic partitions.
                    sid: "WriteRequests",
                    actions: WRITE,
                    keys: &["R#*", "RL#*", "RD", "K#*", "S#*", "D#*"],
                },
            ],
        }
    }

    /// Returns the filters of the changes that the reactor receives: materializations, results of
    /// checks, failures and skips of runs; if something reacts to them, also the ends of runs, keys of
    /// dynamic partitions and waiting runs. Rows that the reactor alone writes are left out.
    pub(super) fn stream_filters(&self) -> Vec<String> {
        // Patterns are JSON in a string, and match the keys of a changed row.
        let keys = |keys: Value| json!({ "dynamodb": { "Keys": keys } }).to_string();
        let mut filters = vec![
            keys(json!({ "pk": { "S": [{ "prefix": "L#" }, { "prefix": "X#" }] } })),
            keys(json!({
                "pk": { "S": [{ "prefix": "R#" }] },
                "sk": { "S": [{ "prefix": "fail#" }, { "prefix": "skip#" }] },
            })),
        ];
        // The end of a run matters only to conditions and to sensors of runs.
        if self.reactions.automation || self.reactions.runs {
            let ended = json!({
                "Keys": { "pk": { "S": [{ "prefix": "R#" }] }, "sk": { "S": ["meta"] } },
                "NewImage": { "status": { "S": ["succeeded", "failed", "canceled"] } },
            });
            filters.push(json!({ "dynamodb": ended }).to_string());
        }
        if self.reactions.automation {
            filters.push(keys(json!({
                "pk": { "S": [{ "prefix": "D#" }] },
                "sk": { "S": [{ "prefix": "k#" }] },
            })));
        }
        // Runs that the function `sensor` leaves queued, which this one launches when they can start.
        if self.reactions.waiting {
            filters.push(keys(json!({
                "pk": { "S": ["S#automation:waiting"] },
                "sk": { "S": ["state"] },
            })));
        }
        filters
    }
}

/// Returns the permissions of the reactor: on the rows that it projects, on those that evaluations
/// read, on their cursors, and on the runs that they request.
fn reactor_statements(reactions: Reactions) -> Vec<Statement> {
    let (read, write): (&[&str], &[&str]) = match (reactions.requests_runs(), reactions.freshness) {
        (true, _) => (
            &[
                "L#*", "E#*", "A#*", "X#*", "F#*", "B#*", "U#*", "R#*", "RL#*", "RD", "K#*", "S#*",
                "D#*",
            ],
            &[
                "E#*", "X#*", "F#*", "B#*", "U#*", "R#*", "RL#*", "RD", "K#*", "S#*", "D#*",
            ],
        ),
        (false, true) => (
            &[
                "L#*", "E#*", "A#*", "X#*", "F#*", "B#*", "U#*", "R#*", "S#*", "D#*",
            ],
            &["E#*", "X#*", "F#*", "B#*", "U#*", "R#*", "S#*"],
        ),
        (false, false) => (
            &["L#*", "E#*", "X#*", "F#*", "B#*", "U#*", "R#*", "D#*"],
            &["E#*", "X#*", "F#*", "B#*", "U#*", "R#*"],
        ),
    };
    let mut statements = vec![
        Statement {
            sid: "ReadRecord",
            actions: READ,
            keys: read,
        },
        Statement {
            sid: if reactions.requests_runs() {
                "WriteProjectionsAndRequests"
            } else {
                "WriteProjections"
            },
            actions: WRITE,
            keys: write,
        },
    ];
    // Evaluations read ordinals: the first one after a deployment numbers the record by it.
    if reactions.has_any() {
        statements.push(Statement {
            sid: "RenumberPartitions",
            actions: &["UpdateItem"],
            keys: &["L#*"],
        });
    }
    statements
}

impl Statement {
    /// Returns the actions, with their service.
    pub(super) fn action_names(&self) -> Vec<String> {
        let actions = self.actions.iter();
        actions.map(|action| format!("dynamodb:{action}")).collect()
    }

    /// Returns the actions, as YAML.
    pub(super) fn action_list(&self) -> String {
        self.action_names().join(", ")
    }

    /// Returns the partition keys, as YAML.
    pub(super) fn key_list(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("\"{key}\""));
        keys.collect::<Vec<_>>().join(", ")
    }
}
