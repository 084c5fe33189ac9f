//! The port to where data lives: [`IoManager`].

mod manager;
mod metric;
mod request;

pub use manager::{Address, IoError, IoManager, Stored, StoredAttempt};
pub use metric::Metric;
pub use request::LoadRequest;
