//! What starts runs on AWS: files that are dropped, schedules that tick, and sweeps, all the way from
//! the event to the record.

mod deployment;
mod emulator;
mod project;
