//! The asset graph as a picture: SVG for people, Mermaid and DOT for documents.

mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
#[cfg(test)]
mod tests;

pub use dot::dot;
pub use mermaid::mermaid;
pub use picture::{Picture, PictureNode, Tally};
pub use svg::svg;
