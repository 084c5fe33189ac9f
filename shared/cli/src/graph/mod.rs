//! The asset graph as a picture: SVG, Mermaid and DOT.

mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
#[cfg(test)]
mod tests;

pub(crate) use dot::render_dot;
pub(crate) use mermaid::render_mermaid;
pub(crate) use picture::{Picture, PictureNode, Tally};
pub(crate) use svg::render_svg;
