//! The home of a project on this machine: the folder of its state and data.

mod folder;
mod long_texts;
mod owner;

#[cfg(test)]
mod tests;

pub use folder::{HOME_FOLDER, Home, HomeError};
pub use long_texts::HomeTexts;
pub use owner::{ProcessLock, Takeover, take_over};
