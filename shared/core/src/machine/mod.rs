//! The shape of a project's generated state machines, and what passes through them.
//!
//! A machine is generated once from the graph: its [`Layout`] says which states there are. A run
//! brings a [`Plan`](crate::plan::Plan), which is smaller and may be cut otherwise;
//! [`Work`] lays it out on the machine: which items go through which stage, and which steps
//! each of them takes there.

mod history;
mod item;
mod kind;
mod layout;
mod name;
mod order;
mod rows;
mod work;

pub use history::INLINE_EVENTS;
pub use item::{Item, ItemStep, Part};
pub use kind::step_kind;
pub use layout::{Layout, LayoutStage, LayoutStep};
pub use name::StepName;
pub use rows::{ITEMS_PER_ROW, Row, rows};
pub use work::{StageWork, Work};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
