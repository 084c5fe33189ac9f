mod assets;
mod automation;
mod faults;
mod messages;
mod objects;
mod schedules;
mod sweeps;
mod world;
