//! The port to where data lives: [`IoManager`].

mod manager;

pub use manager::{Address, IoError, IoManager, Stored};
