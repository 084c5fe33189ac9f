//! [`Sampler`]: one pass over a type.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::DeserializeSeed;

use super::{
    de::Sample,
    node::{Kind, Node, TIMES},
};

/// The error that ends a pass early.
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

/// One pass over a type, which gives samples and records whether it found anything new.
#[derive(Default)]
pub(super) struct Sampler {
    pub(super) learned: Cell<bool>,
    /// The key that was given to a struct last: a "duplicate field" error is about it.
    pub(super) last_key: RefCell<String>,
}

impl Sampler {
    pub(super) fn sample_at<'a>(&'a self, node: &'a mut Node, depth: usize) -> Sample<'a> {
        Sample {
            sampler: self,
            node,
            depth,
        }
    }

    /// Gives a sample to a part of another type.
    pub(super) fn give_sample<'de, S: DeserializeSeed<'de>>(
        &self,
        seed: S,
        node: &mut Node,
        depth: usize,
    ) -> Result<S::Value, TraceError> {
        // Whether this part taught anything decides if its refusal is final.
        let before = self.learned.replace(false);
        let given = seed.deserialize(self.sample_at(node, depth));
        if given.is_err() && !self.learned.get() {
            self.refuse_sample(node);
        }
        self.learned.set(before || self.learned.get());
        given
    }

    /// Returns `true` if this pass found anything that earlier passes did not.
    pub(super) fn has_learned(&self) -> bool {
        self.learned.get()
    }

    pub(super) fn mark_learned(&self) {
        self.learned.set(true);
    }

    pub(super) fn refuse_node(&self, node: &mut Node) {
        if !node.refused {
            node.refused = true;
            self.mark_learned();
        }
    }

    /// Handles a sample that the type around it refused, such as a string with a rule of its own. The node is text
    /// then, not a date: only another text can help.
    pub(super) fn refuse_sample(&self, node: &mut Node) {
        if matches!(node.kind, Kind::Text) && node.sample + 1 < TIMES {
            node.sample += 1;
            self.mark_learned();
        } else {
            node.sample = node.sample.min(TIMES - 1);
            self.refuse_node(node);
        }
    }

    /// Drops an alias from the fields of a struct. Serde lists aliases among the fields and refuses to be given two
    /// names of one field; the refusal names the canonical one, under which the field is written.
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
            // The alias came first. Move the canonical name before it: the next pass finds the alias.
            let Some(index) = fields.iter().position(|(field, _)| field == name) else {
                return false;
            };
            fields[..=index].rotate_right(1);
        } else {
            fields.retain(|(field, _)| *field != last);
        }
        self.mark_learned();
        true
    }
}
