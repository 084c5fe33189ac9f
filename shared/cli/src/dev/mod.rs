//! `dev`: sensors, schedules and automation in one process, with folders as buckets.

mod buckets;
mod clock;
mod launcher;
mod react;
mod runs;
mod view;
mod work;

pub use work::dev;
