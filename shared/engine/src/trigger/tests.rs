mod assets;
mod automation;
pub(crate) mod faults;
mod messages;
mod objects;
mod schedules;
mod sweeps;
pub(crate) mod world;
