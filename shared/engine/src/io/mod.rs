//! The port to where data lives: [`IoManager`].

mod manager;
mod request;

pub use manager::{Address, IoError, IoManager, Stored, StoredAttempt};
pub use request::LoadRequest;
