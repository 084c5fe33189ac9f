//! The same project, run on a laptop and on AWS, has the same record.

mod deployment;
mod emulator;
mod laptop;
mod record;
