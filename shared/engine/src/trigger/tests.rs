mod assets;
mod automation;
mod clock_changes;
pub(crate) mod faults;
mod messages;
mod objects;
mod schedules;
mod sweeps;
pub(crate) mod world;
