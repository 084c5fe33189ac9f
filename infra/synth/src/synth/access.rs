//! Which rows of the table each function may read and write.
//!
//! A row's partition key begins with what it holds: `L#` the latest of a partition, `E#` its events,
//! `A#` attempts, `X#` checks, `F#` what fails them, `B#` status rollups, `U#` updates, `R#` a run,
//! `RL#` and `RD` lists of runs, `K#` run keys, `S#` cursors and ticks, `D#` dynamic partition keys,
//! `C#` and `CL` pools.

use serde_json::{Value, json};

use super::reactions::Reactions;

/// What of a table a function may touch.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) planner: [Statement; 2],
    pub(super) materializer: [Statement; 2],
    pub(super) reactor: [Statement; 2],
    pub(super) sensor: [Statement; 2],
    reactions: Reactions,
}

/// One statement of a policy.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sid: &'static str,
    actions: &'static [&'static str],
    keys: &'static [&'static str],
}

const READ: &[&str] = &["GetItem", "BatchGetItem", "Query"];

/// A transaction needs the permissions of what is in it.
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
                    // Runs, failures that nobody else could put down, and the numbering of partitions
                    // whose definition has changed.
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
            reactor: reactor(reactions),
            reactions,
            sensor: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &["L#*", "R#*", "RD", "K#*", "S#*", "D#*"],
                },
                Statement {
                    // Cursors with the runs that they ask for, and keys of dynamic partitions.
                    sid: "WriteRequests",
                    actions: WRITE,
                    keys: &["R#*", "RL#*", "RD", "K#*", "S#*", "D#*"],
                },
            ],
        }
    }

    /// The changes that the reactor hears of: what was made, what checks found, what a run gave up
    /// on; where something waits for it, the end of a run and keys of dynamic partitions. What else it
    /// writes itself is none of its business.
    pub(super) fn stream_filters(&self) -> Vec<String> {
        let keys = |keys: Value| json!({ "dynamodb": { "Keys": keys } }).to_string();
        let mut filters = vec![
            keys(json!({ "pk": { "S": [{ "prefix": "L#" }, { "prefix": "X#" }] } })),
            keys(json!({
                "pk": { "S": [{ "prefix": "R#" }] },
                "sk": { "S": [{ "prefix": "fail#" }] },
            })),
        ];
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
        filters
    }
}

/// What the reactor may touch: what it projects; what evaluations read, with their cursors; and the runs
/// that they request.
fn reactor(reactions: Reactions) -> [Statement; 2] {
    let (read, write): (&[&str], &[&str]) = match (reactions.requests(), reactions.freshness) {
        (true, _) => (
            &[
                "L#*", "E#*", "A#*", "X#*", "F#*", "B#*", "U#*", "R#*", "RD", "K#*", "S#*", "D#*",
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
    [
        Statement {
            sid: "ReadRecord",
            actions: READ,
            keys: read,
        },
        Statement {
            sid: if reactions.requests() {
                "WriteProjectionsAndRequests"
            } else {
                "WriteProjections"
            },
            actions: WRITE,
            keys: write,
        },
    ]
}

impl Statement {
    pub(super) fn actions(&self) -> String {
        let actions = self
            .actions
            .iter()
            .map(|action| format!("dynamodb:{action}"));
        actions.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn keys(&self) -> String {
        let keys = self.keys.iter().map(|key| format!("\"{key}\""));
        keys.collect::<Vec<_>>().join(", ")
    }
}
