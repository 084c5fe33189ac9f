//! `dev`: sensors, schedules and automation in one process, with folders as buckets.

mod buckets;
mod clock;
mod event_loop;
mod launcher;
mod react;
mod runs;
mod view;

pub(crate) use event_loop::run_dev;
