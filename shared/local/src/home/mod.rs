//! Where a project keeps what it makes on this machine.

mod folder;
mod owner;

#[cfg(test)]
mod tests;

pub use folder::{HOME_FOLDER, Home, HomeError};
pub use owner::{ProcessLock, Takeover, take_over};
