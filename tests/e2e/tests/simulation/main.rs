//! Runs on records that fail, with functions and IO managers that fail, killed anywhere and taken up
//! again: from a seed, so that what went wrong once goes wrong again.

mod attempts;
mod disk;
mod machine;
mod project;
mod seeds;
mod world;
