//! The home of a project on this machine: the folder of its state and data.

mod folder;
mod history;
mod long_texts;
mod owner;
mod private;

#[cfg(test)]
mod tests;

pub use folder::{HOME_FOLDER, Home, HomeError};
pub use history::OldRun;
pub use long_texts::HomeTexts;
pub use owner::{ProcessLock, Takeover, take_over};
pub(crate) use private::ensure_private_file;
pub use private::{create_private_file, create_private_folder};
