//! Which rows of the table each function may read and write.
//!
//! A row's partition key begins with what it holds: `L#` the latest of a partition, `E#` its events,
//! `B#` rollups, `R#` a run, `RL#` lists of runs, `S#` cursors, `K#` run keys, `T#` ticks, `D#`
//! dynamic partition keys, `C#` pools.

/// What of a table a function may touch.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) planner: [Statement; 2],
    pub(super) materializer: [Statement; 2],
    pub(super) reactor: [Statement; 2],
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
    pub(super) const fn new() -> Self {
        Self {
            planner: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &["L#", "E#", "B#", "R#", "RL#", "S#", "K#", "T#", "D#", "C#"],
                },
                Statement {
                    sid: "WriteRuns",
                    actions: WRITE,
                    keys: &["L#", "R#", "RL#", "K#", "C#"],
                },
            ],
            materializer: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &["L#", "R#", "D#", "C#"],
                },
                Statement {
                    sid: "WriteWhatWasMade",
                    actions: WRITE,
                    keys: &["L#", "E#", "R#", "C#"],
                },
            ],
            reactor: [
                Statement {
                    sid: "ReadRecord",
                    actions: READ,
                    keys: &["L#", "E#", "B#", "R#", "RL#", "D#"],
                },
                Statement {
                    sid: "WriteProjections",
                    actions: WRITE,
                    keys: &["E#", "B#", "R#"],
                },
            ],
        }
    }

    /// The changes that the reactor hears of: those of what it does not write itself.
    pub(super) fn stream_filter(&self) -> String {
        let prefixes = ["L#"].map(|key| serde_json::json!({ "prefix": key }));
        serde_json::json!({ "dynamodb": { "Keys": { "pk": { "S": prefixes } } } }).to_string()
    }
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
        let keys = self.keys.iter().map(|key| format!("\"{key}*\""));
        keys.collect::<Vec<_>>().join(", ")
    }
}
