//! The picture in Graphviz's DOT language.

use std::fmt::Write as _;

use super::Picture;

/// Renders the picture in DOT, with a cluster for each group.
pub(crate) fn render_dot(picture: &Picture) -> String {
    let mut text =
        String::from("digraph assets {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (index, group) in picture.group_names().into_iter().enumerate() {
        let _ = writeln!(
            text,
            "  subgraph cluster_{index} {{\n    label={};",
            quote_label(group)
        );
        for node in picture.nodes.iter().filter(|node| node.group == group) {
            let label = if node.partitions.is_empty() {
                node.key.clone()
            } else {
                format!("{}\n{}", node.key, node.partitions)
            };
            let _ = writeln!(
                text,
                "    {} [label={}];",
                quote_label(&node.key),
                quote_label(&label)
            );
        }
        text.push_str("  }\n");
    }
    // Edges come last, outside the clusters.
    for &(up, down) in &picture.edges {
        let (up, down) = (&picture.nodes[up].key, &picture.nodes[down].key);
        let _ = writeln!(text, "  {} -> {};", quote_label(up), quote_label(down));
    }
    text.push_str("}\n");
    text
}

fn quote_label(label: &str) -> String {
    format!(
        "\"{}\"",
        label
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
