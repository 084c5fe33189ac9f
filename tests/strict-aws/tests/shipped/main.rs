//! The shipped adapters of `precip-aws` over the strict AWS, in virtual time.

mod capacity;
mod deployment;
mod faults;
mod files;
mod projection;
mod state;
mod world;
