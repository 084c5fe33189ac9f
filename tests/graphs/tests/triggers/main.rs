//! Triggers on AWS: dropped files, ticks of schedules, sweeps, and changes of the table.

mod deployment;
mod emulator;
mod project;
