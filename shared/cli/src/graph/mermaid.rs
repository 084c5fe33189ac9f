//! The picture as a Mermaid flow chart.

use std::fmt::Write as _;

use super::Picture;

/// Renders the picture as a Mermaid flow chart, with a subgraph for each group.
pub(crate) fn render_mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    for (index, group) in picture.group_names().into_iter().enumerate() {
        let _ = writeln!(text, "  subgraph g{index}[\"{}\"]", escape_label(group));
        for (number, node) in picture.nodes.iter().enumerate() {
            if node.group == group {
                let detail = if node.partitions.is_empty() {
                    String::new()
                } else {
                    format!("<br/><small>{}</small>", escape_label(&node.partitions))
                };
                let _ = writeln!(
                    text,
                    "    n{number}[\"{}{detail}\"]",
                    escape_label(&node.key)
                );
            }
        }
        text.push_str("  end\n");
    }
    for (up, down) in &picture.edges {
        let _ = writeln!(text, "  n{up} --> n{down}");
    }
    text
}

/// Escapes a quoted label, in which Mermaid reads HTML entities.
fn escape_label(label: &str) -> String {
    label
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
