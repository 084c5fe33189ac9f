//! Names of states.

use std::collections::BTreeSet;

use precip_core::spec::OpSpec;

use crate::model::{InvalidStateName, StateName};

/// The names of one machine's states, each used once.
#[derive(Debug, Default)]
pub(super) struct NamePool(BTreeSet<StateName>);

impl NamePool {
    /// Reserves a name that is as close to `title` as possible.
    pub(super) fn reserve_name(&mut self, title: &str) -> Result<StateName, InvalidStateName> {
        let plain = |c: char| {
            if StateName::allows_character(c) {
                c
            } else {
                ' '
            }
        };
        let base: String = title.chars().map(plain).collect();
        let mut suffix = String::new();
        let mut count = 1;
        // Ends: every round tries a name that no round before it has tried.
        loop {
            let room = StateName::MAX_CHARS - suffix.chars().count();
            let cut: String = base.chars().take(room).collect();
            let name = StateName::new(format!("{cut}{suffix}"))?;
            if self.0.insert(name.clone()) {
                return Ok(name);
            }
            count += 1;
            suffix = format!(" {count}");
        }
    }
}

/// Returns the name of an op's state: the op's own name, with `check` in front of an op that only
/// checks an asset.
pub(super) fn state_title(op: &OpSpec) -> String {
    if op.assets.is_empty() {
        format!("check {}", op.name)
    } else {
        op.name.clone()
    }
}

#[cfg(test)]
mod tests;
