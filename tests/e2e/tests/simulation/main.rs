//! Runs on stores that fail, with functions and IO managers that fail, killed anywhere and resumed.
//! Faults are drawn from a seed, so that a failing case can be repeated.

mod attempts;
mod cloud;
mod disk;
mod machine;
mod project;
mod seeds;
mod stored;
mod world;
