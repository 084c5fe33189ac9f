//! The port to where data lives: [`IoManager`].

mod manager;
mod measure;
mod request;

pub use manager::{Address, IoError, IoManager, Stored, StoredAttempt};
pub use measure::Measure;
pub use request::LoadRequest;
