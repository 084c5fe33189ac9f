//! The picture as an SVG that a person wants to look at.

use askama::Template;

use super::{
    Picture, PictureNode,
    layout::{CARD, layout},
};

const MARGIN: f64 = 32.0;
const LEGEND: f64 = 48.0;
const BAR: f64 = 204.0;
/// Colours of the groups, told apart by people who see few colours (Okabe and Ito's palette, then
/// lighter ones), in turn.
const COLOURS: [&str; 8] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6bb1", "#7f7f7f",
];

#[derive(Template)]
#[template(path = "graph.svg")]
struct Svg {
    width: f64,
    height: f64,
    groups: Vec<Group>,
    edges: Vec<String>,
    cards: Vec<Card>,
    legend_y: f64,
}

struct Group {
    name: String,
    colour: &'static str,
    x: f64,
}

struct Card {
    x: f64,
    y: f64,
    title: String,
    detail: String,
    colour: &'static str,
    tooltip: String,
    bar: Option<Bar>,
}

struct Bar {
    made: f64,
    failed_x: f64,
    failed: f64,
    text: String,
}

/// Draws the picture. It follows the reader's light or dark theme, and needs nothing from elsewhere.
///
/// # Errors
/// Never in practice: the template is checked when this crate is compiled.
pub fn svg(picture: &Picture) -> Result<String, askama::Error> {
    let placed = layout(picture);
    let names = picture.groups();
    let colour = |group: &str| {
        let index = names
            .iter()
            .position(|name| *name == group)
            .unwrap_or_default();
        COLOURS[index % COLOURS.len()]
    };
    let mut x = MARGIN;
    let groups = names
        .iter()
        .map(|name| {
            let group = Group {
                name: (*name).to_owned(),
                colour: colour(name),
                x,
            };
            x += 34.0 + text_width(name, 7.2);
            group
        })
        .collect();
    let corner = |index: usize| {
        let (x, y) = placed.corners[index];
        (x + MARGIN, y + MARGIN + LEGEND)
    };
    let cards = picture
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| card(node, corner(index), colour(&node.group)))
        .collect();
    let edges = picture
        .edges
        .iter()
        .filter(|(up, down)| up != down)
        .map(|&(up, down)| curve(corner(up), corner(down)))
        .collect();
    Svg {
        width: (placed.size.0 + 2.0 * MARGIN).max(x + MARGIN).max(320.0),
        height: placed.size.1 + 2.0 * MARGIN + LEGEND,
        groups,
        edges,
        cards,
        legend_y: MARGIN,
    }
    .render()
}

fn card(node: &PictureNode, (x, y): (f64, f64), colour: &'static str) -> Card {
    let mut detail = vec![node.partitions.clone()];
    detail.extend(node.kinds.iter().cloned());
    detail.retain(|part| !part.is_empty());
    let bar = node.tally.map(|tally| {
        let made = tally.share(tally.materialized, BAR);
        let failed = tally.share(tally.failed, BAR);
        let made = made.min(BAR - failed);
        let mut text = format!("{} of {}", tally.materialized, tally.total);
        if tally.failed > 0 {
            text.push_str(&format!(", {} failed", tally.failed));
        }
        Bar {
            made,
            failed_x: made,
            failed,
            text,
        }
    });
    let tooltip = bar.as_ref().map_or_else(
        || format!("{} ({})", node.key, node.group),
        |bar| format!("{} ({}): {} materialized", node.key, node.group, bar.text),
    );
    Card {
        x,
        y,
        title: shorten(&node.key, 27),
        detail: shorten(&detail.join(" · "), 36),
        colour,
        tooltip,
        bar,
    }
}

/// From the middle of the right side of one card to the middle of the left side of another.
fn curve(up: (f64, f64), down: (f64, f64)) -> String {
    let (x1, y1) = (up.0 + CARD.0, up.1 + CARD.1 / 2.0);
    let (x2, y2) = (down.0 - 7.0, down.1 + CARD.1 / 2.0);
    let bend = ((x2 - x1).abs() / 2.0).max(24.0);
    format!(
        "M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}",
        x1 + bend,
        x2 - bend
    )
}

fn text_width(text: &str, per_character: f64) -> f64 {
    text.chars().map(|_| per_character).sum()
}

/// At most `limit` characters, the last an ellipsis where some were left out.
fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}
