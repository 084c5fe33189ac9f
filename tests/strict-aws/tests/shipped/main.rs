//! The shipped adapters of `precip-aws` over the strict AWS, in virtual time.

mod capacity;
mod files;
mod state;
mod world;
