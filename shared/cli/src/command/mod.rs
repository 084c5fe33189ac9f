//! What the commands do, one file each.

mod asset;
mod assets;
mod automation;
mod cancel;
mod checks;
mod describe;
mod doctor;
mod dynamic;
mod graph;
mod partitions;
mod plan;
mod pools;
mod runs;
mod schedules;
mod sensors;
mod show;
mod ticks;

pub use asset::asset;
pub use assets::assets;
pub use automation::{automation, explain};
pub use cancel::cancel;
pub use checks::checks;
pub use describe::describe;
pub use doctor::doctor;
pub use dynamic::dynamic;
pub use graph::graph;
pub use partitions::partitions;
pub use plan::plan;
pub use pools::{pools, set_pool_limit};
pub use runs::{run, runs};
pub use schedules::{schedule, schedules};
pub(crate) use sensors::told;
pub use sensors::{sensor, sensors};
pub use show::show;
pub use ticks::ticks;
