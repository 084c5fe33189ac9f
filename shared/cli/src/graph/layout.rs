//! Where each asset of a picture goes: layers from left to right.

use rust_sugiyama::{configure::Config, from_vertices_and_edges};

use super::Picture;

/// The size of a card and the air around it, in pixels.
pub(super) const CARD: (f64, f64) = (236.0, 76.0);
const AIR: f64 = 44.0;

/// Top left corners of the cards, in the order of the picture's nodes, and the size of it all.
pub(super) struct Layout {
    pub(super) corners: Vec<(f64, f64)>,
    pub(super) size: (f64, f64),
}

/// Places the cards in layers, upstream left of downstream. Parts of the graph that are not
/// connected stand below each other.
pub(super) fn layout(picture: &Picture) -> Layout {
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
        vertex_spacing: AIR,
        dummy_size: 0.5,
        ..Config::default()
    };
    let mut corners = vec![(0.0, 0.0); picture.nodes.len()];
    let mut size = (0.0_f64, 0.0_f64);
    let mut parts = from_vertices_and_edges(&vertices, &edges, &config);
    // The largest part first; by place where they are equal, so that the picture is always the same.
    parts.sort_by_key(|(places, _, _)| {
        (
            std::cmp::Reverse(places.len()),
            places.iter().map(|(index, _)| *index).min(),
        )
    });
    for (places, _, _) in parts {
        // The library lays out downwards; a graph of assets is read to the right.
        let left = places
            .iter()
            .map(|(_, (_, y))| *y)
            .fold(f64::INFINITY, f64::min);
        let top = places
            .iter()
            .map(|(_, (x, _))| *x)
            .fold(f64::INFINITY, f64::min);
        let mut bottom = size.1;
        for (index, (x, y)) in places {
            let corner = ((y - left).round(), (x - top + size.1).round());
            corners[index] = corner;
            size.0 = size.0.max(corner.0 + width);
            bottom = bottom.max(corner.1 + height);
        }
        size.1 = bottom + AIR;
    }
    Layout {
        corners,
        size: (size.0, (size.1 - AIR).max(0.0)),
    }
}
