//! The shape of a project's generated state machines, and the items that pass through them.
//!
//! A machine is generated once from the graph: its [`Layout`] lists the states. A run brings a
//! [`Plan`](crate::plan::Plan), which is smaller and may be divided into other stages;
//! [`Work`] assigns it to the machine: the items that pass through each stage, and the steps that
//! each of them takes there.

mod concurrency;
mod history;
mod item;
mod kind;
mod layout;
mod name;
mod order;
mod rows;
mod work;

pub use concurrency::{ConcurrencyBudget, StageConcurrency};
pub use history::{INLINE_EVENTS, POOL_RETRIES};
pub use item::{Item, ItemStep, Part};
pub use kind::step_kind;
pub use layout::{Layout, LayoutStage, LayoutStep};
pub use name::StepName;
pub use rows::{ITEMS_PER_ROW, Row, divide_into_rows};
pub use work::{StageWork, Work};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
