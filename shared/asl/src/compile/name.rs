//! Names of states.

use std::collections::BTreeSet;

use precip_core::spec::OpSpec;

use crate::model::{InvalidStateName, StateName};

/// Gives out the names of one machine, each once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<StateName>);

impl Names {
    /// A name for what people call `title`: the same, as far as it can be.
    pub(super) fn take(&mut self, title: &str) -> Result<StateName, InvalidStateName> {
        let plain = |c: char| if StateName::takes(c) { c } else { ' ' };
        let base: String = title.chars().map(plain).collect();
        let mut suffix = String::new();
        let mut count = 1;
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

/// What people see of an op: its name, which is the asset's key where it makes one; of an op that
/// only looks at an asset, that it does.
pub(super) fn title(op: &OpSpec) -> String {
    match op.assets.is_empty() {
        true => format!("check {}", op.name),
        false => op.name.clone(),
    }
}

#[cfg(test)]
mod tests;
