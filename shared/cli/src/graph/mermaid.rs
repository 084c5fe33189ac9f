//! The picture as a Mermaid flow chart.

use std::fmt::Write as _;

use super::Picture;

/// Writes the picture as a Mermaid flow chart: one subgraph a group.
pub fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart LR\n");
    for (index, group) in picture.groups().into_iter().enumerate() {
        let _ = writeln!(text, "  subgraph g{index}[\"{}\"]", escape(group));
        for (place, node) in picture.nodes.iter().enumerate() {
            if node.group == group {
                let detail = if node.partitions.is_empty() {
                    String::new()
                } else {
                    format!("<br/><small>{}</small>", escape(&node.partitions))
                };
                let _ = writeln!(text, "    n{place}[\"{}{detail}\"]", escape(&node.key));
            }
        }
        text.push_str("  end\n");
    }
    for (up, down) in &picture.edges {
        let _ = writeln!(text, "  n{up} --> n{down}");
    }
    text
}

/// Mermaid reads HTML entities in quoted labels.
fn escape(label: &str) -> String {
    label
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
