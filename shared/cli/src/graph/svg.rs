//! The picture as an SVG image.

use askama::Template;

use super::{
    Picture, PictureNode,
    layout::{CARD, layout_cards},
};

/// Space around the picture, in pixels.
const MARGIN: f64 = 32.0;
/// Height of the legend, in pixels.
const LEGEND: f64 = 48.0;
/// Width of a card's bar, in pixels.
const BAR: f64 = 204.0;
/// Colours of the groups, distinguishable with colour blindness (Okabe and Ito's palette, then three
/// more). They repeat after the last.
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

/// Renders the picture as SVG. It follows the reader's light or dark theme and loads nothing.
///
/// # Errors
/// When the template fails, which it does not in practice: it is checked at compile time.
pub(crate) fn render_svg(picture: &Picture) -> Result<String, askama::Error> {
    let layout = layout_cards(picture);
    let names = picture.group_names();
    let colour = |group: &str| {
        let index = names
            .iter()
            .position(|name| *name == group)
            .unwrap_or_default();
        COLOURS[index % COLOURS.len()]
    };
    // The legend: one entry after the other, each as wide as its text.
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
        let (x, y) = layout.corners[index];
        (x + MARGIN, y + MARGIN + LEGEND)
    };
    let cards = picture
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| new_card(node, corner(index), colour(&node.group)))
        .collect();
    let edges = picture
        .edges
        .iter()
        .filter(|(up, down)| up != down)
        .map(|&(up, down)| edge_path(corner(up), corner(down)))
        .collect();
    Svg {
        width: (layout.size.0 + 2.0 * MARGIN).max(x + MARGIN).max(320.0),
        height: layout.size.1 + 2.0 * MARGIN + LEGEND,
        groups,
        edges,
        cards,
        legend_y: MARGIN,
    }
    .render()
}

fn new_card(node: &PictureNode, (x, y): (f64, f64), colour: &'static str) -> Card {
    let mut detail = vec![node.partitions.clone()];
    detail.extend(node.kinds.iter().cloned());
    detail.retain(|part| !part.is_empty());
    let bar = node.tally.map(|tally| {
        let made = tally.bar_length(tally.materialized, BAR);
        let failed = tally.bar_length(tally.failed, BAR);
        // The minimum lengths may add up to more than the bar: failures take precedence.
        let mut text = format!("{} of {}", tally.materialized, tally.total);
        if tally.failed > 0 {
            text.push_str(&format!(", {} failed", tally.failed));
        }
        if tally.skipped > 0 {
            text.push_str(&format!(", {} skipped", tally.skipped));
        }
        Bar {
            made: made.min(BAR - failed),
            failed_x: made.min(BAR - failed),
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
        title: shorten_text(&node.key, 27),
        detail: shorten_text(&detail.join(" · "), 36),
        colour,
        tooltip,
        bar,
    }
}

/// Returns the path from the middle of one card's right side to the middle of another's left side.
fn edge_path(up: (f64, f64), down: (f64, f64)) -> String {
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

/// Cuts the text to `limit` characters, the last of them an ellipsis when it was longer.
fn shorten_text(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}
