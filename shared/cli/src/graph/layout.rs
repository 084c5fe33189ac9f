//! [`Layout`]: the positions of the cards, in layers from left to right.

use rust_sugiyama::{configure::Config, from_vertices_and_edges};

use super::Picture;

/// Width and height of a card, in pixels.
pub(super) const CARD: (f64, f64) = (236.0, 76.0);
/// Space between cards, in pixels.
const SPACING: f64 = 44.0;

/// Positions of the cards of a picture.
pub(super) struct Layout {
    /// Top left corners, in pixels, in the order of the picture's nodes.
    pub(super) corners: Vec<(f64, f64)>,
    /// Width and height of all cards together, in pixels.
    pub(super) size: (f64, f64),
}

/// Arranges the cards in layers, upstream left of downstream. Unconnected parts of the graph are placed
/// below each other.
pub(super) fn layout_cards(picture: &Picture) -> Layout {
    let (width, height) = CARD;
    let vertices: Vec<(u32, (f64, f64))> = (0u32..)
        .zip(&picture.nodes)
        .map(|(index, _)| (index, (height, width)))
        .collect();
    let edges: Vec<(u32, u32)> = picture
        .edges
        .iter()
        .filter_map(|&(up, down)| Some((up.try_into().ok()?, down.try_into().ok()?)))
        .collect();
    let config = Config {
        vertex_spacing: SPACING,
        dummy_size: 0.5,
        ..Config::default()
    };
    let mut corners = vec![(0.0, 0.0); picture.nodes.len()];
    let mut size = (0.0_f64, 0.0_f64);
    let mut parts = from_vertices_and_edges(&vertices, &edges, &config);
    // The largest part first; equal parts by their first node, so that the picture is always the same.
    parts.sort_by_key(|(nodes, _, _)| {
        (
            std::cmp::Reverse(nodes.len()),
            nodes.iter().map(|(index, _)| *index).min(),
        )
    });
    for (nodes, _, _) in parts {
        // The library arranges layers downwards; here they go to the right, so the axes are swapped.
        let left = nodes
            .iter()
            .map(|(_, (_, y))| *y)
            .fold(f64::INFINITY, f64::min);
        let top = nodes
            .iter()
            .map(|(_, (x, _))| *x)
            .fold(f64::INFINITY, f64::min);
        let mut bottom = size.1;
        for (index, (x, y)) in nodes {
            let corner = ((y - left).round(), (x - top + size.1).round());
            corners[index] = corner;
            size.0 = size.0.max(corner.0 + width);
            bottom = bottom.max(corner.1 + height);
        }
        size.1 = bottom + SPACING;
    }
    Layout {
        corners,
        size: (size.0, (size.1 - SPACING).max(0.0)),
    }
}
