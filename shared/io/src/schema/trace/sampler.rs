//! [`Sampler`]: what a pass over a type gives, and what it learns.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::DeserializeSeed;

use super::{
    de::Sample,
    node::{Kind, Node, TIMES},
};

/// Why a pass ended early.
#[derive(Debug)]
pub(super) struct TraceError(pub(super) String);

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

impl serde::de::Error for TraceError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// One pass over a type.
#[derive(Default)]
pub(super) struct Sampler {
    pub(super) learned: Cell<bool>,
    /// The key that a struct was given last: the one that a "duplicate field" speaks of.
    pub(super) last_key: RefCell<String>,
}

impl Sampler {
    pub(super) fn at<'a>(&'a self, node: &'a mut Node, depth: usize) -> Sample<'a> {
        Sample {
            sampler: self,
            node,
            depth,
        }
    }

    /// Gives a sample to what is inside another type.
    pub(super) fn give<'de, S: DeserializeSeed<'de>>(
        &self,
        seed: S,
        node: &mut Node,
        depth: usize,
    ) -> Result<S::Value, TraceError> {
        let before = self.learned.replace(false);
        let given = seed.deserialize(self.at(node, depth));
        if given.is_err() && !self.learned.get() {
            self.refuse_taken(node);
        }
        self.learned.set(before || self.learned.get());
        given
    }

    /// Whether this pass found out anything that the ones before it did not know.
    pub(super) fn learned(&self) -> bool {
        self.learned.get()
    }

    pub(super) fn learn(&self) {
        self.learned.set(true);
    }

    pub(super) fn refuse(&self, node: &mut Node) {
        if !node.refused {
            node.refused = true;
            self.learn();
        }
    }

    /// What was taken as a sample was refused by the type around it, such as a string with a rule of its
    /// own. It is text then, not a date: only another text may help.
    pub(super) fn refuse_taken(&self, node: &mut Node) {
        if matches!(node.kind, Kind::Text) && node.sample + 1 < TIMES {
            node.sample += 1;
            self.learn();
        } else {
            node.sample = node.sample.min(TIMES - 1);
            self.refuse(node);
        }
    }

    /// A struct lists the aliases of its fields among them, and refuses to be given both. The canonical
    /// name, which it is written under, is the one that the refusal names.
    pub(super) fn drop_alias(&self, node: &mut Node, error: &TraceError) -> bool {
        let Kind::Struct(fields) = &mut node.kind else {
            return false;
        };
        let Some(name) = error
            .0
            .strip_prefix("duplicate field `")
            .and_then(|rest| rest.strip_suffix('`'))
        else {
            return false;
        };
        let last = self.last_key.borrow().clone();
        if last == name {
            // The alias came first: let the canonical name go before it, and find the alias next time.
            let Some(at) = fields.iter().position(|(field, _)| field == name) else {
                return false;
            };
            fields[..=at].rotate_right(1);
        } else {
            fields.retain(|(field, _)| *field != last);
        }
        self.learn();
        true
    }
}
