mod assets;
mod automation;
mod faults;
mod objects;
mod schedules;
mod sweeps;
mod world;
