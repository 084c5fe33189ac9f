//! The templates of projects, as files in the folder `templates` of this crate.

mod files;
mod kind;
mod render;

pub(crate) use kind::{Deploy, Template};
pub(crate) use render::{RenderedFile, render_project};
